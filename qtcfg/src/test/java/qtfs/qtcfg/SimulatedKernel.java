package qtfs.qtcfg;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.concurrent.TimeUnit.SECONDS;

import com.fasterxml.jackson.core.JsonFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import qtfs.linux.Fd;
import qtfs.testing.CCompiler;
import qtfs.whitelist.Group;

/**
 * D3: the two kernel modules as src/test/c/simkernel.c plays them, and the programs run with it, as
 * processes of their own.
 *
 * @param directory of the modules' states, of the test's own
 */
record SimulatedKernel(Path directory) {
  private static final Path SOURCE = Path.of("../qtcfg/src/test/c/simkernel.c");
  private static final int PATIENCE = 60;

  /** Of the install image whose programs are tested; null for those of this build's classes. */
  private static final @Nullable String IMAGE = System.getProperty("qtfs.image");

  /** What a program left: byte strings. */
  record Result(String out, String err, int code) {}

  SimulatedKernel load(Role role) {
    write(state(role), "");
    return this;
  }

  void unload(Role role) {
    try {
      Files.deleteIfExists(state(role));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The file that holds a module's state. */
  Path state(Role role) {
    return directory.resolve(role.word());
  }

  /** Sets one of the module's knobs, see simkernel.c. */
  void set(Role role, String knob, int value) {
    write(directory.resolve(role.word() + "." + knob), String.valueOf(value));
  }

  private static void write(Path file, String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Result qtcfg(String... arguments) {
    return run(Qtcfg.class, List.of(arguments));
  }

  Result qtinfo(String... arguments) {
    return run(Qtinfo.class, List.of(arguments));
  }

  Result run(Tool tool, List<String> arguments) {
    return run(tool == Tool.QTCFG ? Qtcfg.class : Qtinfo.class, arguments);
  }

  Result run(Class<?> program, List<String> arguments) {
    try {
      Path err = Files.createTempFile(directory, "err", "");
      Path script = Files.createTempFile(directory, "script", "");
      ProcessBuilder builder = builder(program, arguments);
      if (IMAGE != null) {
        // By its bare name, as it was when it was recorded.
        builder.command().set(0, Path.of(builder.command().getFirst()).getFileName().toString());
      }
      // Through a file, as this JVM may be in a locale in which it cannot pass all arguments on.
      Files.writeString(
          script,
          builder.command().stream()
              .map(word -> "'" + word.replace("'", "'\\''") + "'")
              .collect(Collectors.joining(" ", "exec ", "\n")));
      builder.command("sh", script.toString());
      Process process = builder.redirectError(err.toFile()).start();
      process.getOutputStream().close();
      String out = new String(process.getInputStream().readAllBytes(), ISO_8859_1);
      finish(process);
      String said = Files.readString(err, ISO_8859_1);
      Files.delete(err);
      Files.delete(script);
      return new Result(out, said, process.exitValue());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A program about to be started in front of this kernel. */
  ProcessBuilder builder(Class<?> program, List<String> arguments) {
    List<String> command = new ArrayList<>(IMAGE == null ? java(program) : installed(program));
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command);
    Map<String, String> environment = builder.environment();
    environment.remove("POSIXLY_CORRECT");
    // For an image that has no runtime of its own.
    environment.put("JAVA_HOME", System.getProperty("java.home"));
    if (IMAGE != null) {
      environment.put("PATH", IMAGE + "/bin:" + System.getenv("PATH"));
    }
    environment.put("LD_PRELOAD", library().toString());
    environment.put("SIMKERNEL_DIR", directory.toString());
    environment.put("QTFS_RUN_DIR", directory.toString());
    return builder;
  }

  private static Path library() {
    try {
      return CCompiler.library(SOURCE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<String> java(Class<?> program) {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-XX:-UsePerfData",
        "-Xmx64m",
        "--enable-native-access=ALL-UNNAMED",
        "-cp",
        classPath(),
        program.getName());
  }

  private static List<String> installed(Class<?> program) {
    return List.of(IMAGE + "/bin/" + program.getSimpleName().toLowerCase(Locale.ROOT));
  }

  private static String classPath() {
    return Stream.of(
            Qtcfg.class,
            Fd.class,
            Group.class,
            CommandLine.class,
            JsonFactory.class,
            SimulatedKernel.class)
        .map(SimulatedKernel::location)
        .distinct()
        .collect(Collectors.joining(":"));
  }

  private static String location(Class<?> of) {
    CodeSource source = Objects.requireNonNull(of.getProtectionDomain().getCodeSource());
    return source.getLocation().getPath();
  }

  static void finish(Process process) {
    try {
      if (!process.waitFor(PATIENCE, SECONDS)) {
        process.destroyForcibly();
        throw new AssertionError("still running after " + PATIENCE + " s: " + process.info());
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  /** The lists that are not empty, as {@code qtcfg -z} prints them. */
  Map<String, List<String>> lists() {
    Map<String, List<String>> lists = new LinkedHashMap<>();
    String group = "";
    for (String line : qtcfg("-z").out().lines().toList()) {
      if (line.startsWith("Get qtfs <")) {
        group = line.substring(10, line.indexOf('>'));
      } else {
        String path = line.substring(line.indexOf("[path:") + 6, line.length() - 1);
        lists.computeIfAbsent(group, _ -> new ArrayList<>()).add(path);
      }
    }
    return lists;
  }
}
