package qtfs.dist;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.spi.ToolProvider;

/**
 * The build step that links the Java runtime of an install image, of this JDK's modules.
 *
 * <p>A JDK links from its jmods directory or, without one, from itself (JEP 493); one that can do
 * neither leaves the image without a runtime, aloud, and the launchers then look for Java on the
 * machine. Nothing is done when the runtime there is what would be linked.
 */
final class LinkedRuntime {
  /**
   * What the jars in the image need, by jdeps and by running: java.naming is called for
   * certificates by Netty's TLS, jdk.unsupported by Netty and jcmd. Netty's use of jdk.jfr is
   * optional, and would cost udsproxyd a tenth of its memory.
   */
  private static final List<String> MODULES =
      List.of("java.base", "java.logging", "java.naming", "jdk.unsupported");

  /** What only compilers, installers and a dump of the default CDS archive read. */
  private static final String UNUSED =
      "/java.base/lib/classlist,/java.base/lib/jrt-fs.jar,/java.base/lib/jexec,"
          + "/java.base/bin/keytool";

  private static final Path HOME = Path.of(System.getProperty("java.home"));

  private final Path runtime;

  private LinkedRuntime(Path runtime) {
    this.runtime = runtime;
  }

  public static void main(String[] args) throws IOException {
    LinkedRuntime linked = new LinkedRuntime(Path.of(args[0]).resolve("lib/runtime"));
    Optional<ToolProvider> jlink = ToolProvider.findFirst("jlink");
    if (jlink.isEmpty() || !canLink(jlink.get())) {
      System.err.println(
          "WARNING: the install image has NO JAVA RUNTIME of its own: "
              + HOME
              + " has no jmods directory, and cannot link from itself; build with another JDK 25,"
              + " such as apt-get install openjdk-25-jdk-headless");
      ImageFiles.deleteTree(linked.runtime);
    } else if (!linked.upToDate()) {
      linked.link(jlink.get());
    }
  }

  private static boolean canLink(ToolProvider jlink) {
    return Files.isDirectory(HOME.resolve("jmods"))
        || run(jlink, "--help").output().contains("Linking from run-time image enabled");
  }

  private boolean upToDate() throws IOException {
    return Files.exists(release()) && Files.readString(release()).equals(identity());
  }

  private void link(ToolProvider jlink) throws IOException {
    ImageFiles.deleteTree(runtime);
    // Not compressed: the tarball is the smaller for it, and what no cache has is loaded faster.
    Ran ran =
        run(
            jlink,
            "--add-modules",
            String.join(",", MODULES),
            "--output",
            runtime.toString(),
            "--vm",
            "server",
            "--compress",
            "zip-0",
            "--strip-debug",
            "--no-header-files",
            "--no-man-pages",
            "--exclude-files",
            UNUSED);
    if (ran.code() != 0) {
      throw new IOException("jlink ended with " + ran.code() + ": " + ran.output());
    }
    Files.writeString(release(), identity());
  }

  /**
   * The release file, in the order in which the launchers read it. The first line tells this
   * runtime from the JDK it was made of, which the AOT caches do not fit.
   */
  private static String identity() throws IOException {
    List<String> lines = new ArrayList<>();
    String linked = " with " + String.join(" ", MODULES);
    for (String line : Files.readAllLines(HOME.resolve("release"))) {
      if (line.startsWith("IMPLEMENTOR_VERSION=")) {
        lines.addFirst(line.replaceFirst("\"$", linked + "\""));
      } else if (line.startsWith("JAVA_RUNTIME_VERSION=")) {
        lines.add(line);
      } else if (line.startsWith("JAVA_VERSION=")) {
        lines.add(line);
      } else if (line.startsWith("OS_ARCH=")) {
        lines.add(line);
      }
    }
    if (lines.stream().noneMatch(line -> line.contains(linked))) {
      lines.addFirst("IMPLEMENTOR_VERSION=\"" + linked.strip() + "\"");
    }
    return String.join("\n", lines) + "\n";
  }

  private Path release() {
    return runtime.resolve("release");
  }

  private record Ran(int code, String output) {}

  private static Ran run(ToolProvider tool, String... args) {
    StringWriter output = new StringWriter();
    PrintWriter writer = new PrintWriter(output, true);
    return new Ran(tool.run(writer, writer, args), output.toString());
  }
}
