package qtfs.dist;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The build step that writes an AOT cache for each program of an install image, by running the
 * programs on their real path once: {@code rexec} through {@code udsproxyd} to {@code
 * rexec_server}, and {@code qtcfg} up to the kernel module. {@code engine} starts without one.
 *
 * <p>Needs neither root nor namespaces nor files in /etc: everything lives in a temporary
 * directory, and one {@code udsproxyd} that is its own peer on the loopback plays both hosts. The
 * caches are for the runtime in the image, or for this JVM where the image has none. Nothing is
 * done when the caches are of the same files as these.
 */
final class AotTraining {
  private static final List<String> PROGRAMS =
      List.of("rexec", "rexec_agent", "rexec_server", "udsproxyd", "qtcfg", "qtinfo", "engine");

  /** The programs that have a cache: {@code qtinfo} shares that of {@code qtcfg}. */
  private static final List<String> TRAINED =
      List.of("rexec", "rexec_agent", "rexec_server", "udsproxyd", "qtcfg");

  /**
   * Runs before the one that is recorded, so that the daemons have seen a session end, and the
   * agent's profiles are of what it does all day.
   */
  private static final int WARM_UP_RUNS = 100;

  /** The cache holds the profiles of what runs often: connecting is what udsproxyd does most. */
  private static final int CONNECTS = 8000;

  private static final long LIMIT_SECONDS = 120;

  private final Path image;
  private final Path work;

  /** Where the digest of what the caches were made of is kept, beside the image. */
  private final Path inputs;

  /** The Java home that will use the caches. */
  private final Path java;

  /**
   * @param work an empty directory; the image is run through a link in it, since the JVM that
   *     writes the cache gets its options in one string, and a space in a path would split it
   */
  private AotTraining(Path image, Path work) throws IOException {
    this.image = Files.createSymbolicLink(work.resolve("image"), image);
    this.work = work;
    inputs = image.resolveSibling("aot-inputs");
    Path runtime = this.image.resolve("lib/runtime");
    java = Files.exists(runtime) ? runtime : Path.of(System.getProperty("java.home"));
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    Path image = Path.of(args[0]).toAbsolutePath();
    placeLauncher(image);
    for (String program : PROGRAMS) {
      makeExecutable(image.resolve("bin").resolve(program));
    }
    ImageFiles.settle(image, FileTime.from(Instant.parse(args[1])));
    Path work = Files.createTempDirectory("qtfs-aot");
    try {
      AotTraining training = new AotTraining(image, work);
      if (!training.upToDate()) {
        training.run();
      }
    } finally {
      ImageFiles.deleteTree(work);
    }
  }

  /** Where there is no compiler for the launcher, the script that starts a JVM takes its place. */
  private static void placeLauncher(Path image) throws IOException {
    Path script = image.resolve("lib/rexec.sh");
    makeExecutable(script);
    if (!Files.exists(image.resolve("bin/rexec"))) {
      Files.copy(script, image.resolve("bin/rexec"), StandardCopyOption.COPY_ATTRIBUTES);
    }
  }

  private static void makeExecutable(Path program) throws IOException {
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private boolean upToDate() throws IOException {
    return Files.exists(recordedJvm())
        && Files.readString(recordedJvm()).equals(jvm())
        && Files.exists(inputs)
        && Files.readString(inputs).equals(inputsDigest());
  }

  /** Of what the JVM compares with its cache, and of what decides what a cache has in it. */
  private String inputsDigest() throws IOException {
    List<Path> files = new ArrayList<>();
    for (String part : List.of("bin", "lib/native", "lib/runtime/lib")) {
      files.addAll(ImageFiles.below(image.resolve(part)));
    }
    try (Stream<Path> jars = Files.list(image.resolve("lib"))) {
      jars.filter(Files::isRegularFile).sorted().forEach(files::add);
    }
    return ImageFiles.digest(files, image);
  }

  private void run() throws IOException, InterruptedException {
    ImageFiles.deleteTree(image.resolve("lib/aot"));
    Files.createDirectories(image.resolve("lib/aot"));
    try (LambdaForms forms = new LambdaForms(lambdaForms())) {
      record(forms);
    }
    for (String program : TRAINED) {
      if (!Files.exists(cache(program))) {
        throw new IOException(
            "the training of " + program + " left no AOT cache: " + said(program));
      }
      // Not by the umask, which the programs set for themselves.
      Files.setPosixFilePermissions(cache(program), PosixFilePermissions.fromString("rw-r--r--"));
      System.out.printf(
          "%s: %,d KiB%n", cache(program).getFileName(), Files.size(cache(program)) >> 10);
    }
    Files.writeString(recordedJvm(), jvm());
    Files.writeString(inputs, inputsDigest());
  }

  /** In the runtime of the image; an installed JDK has a list of its own, which stays. */
  private Path lambdaForms() {
    Path runtime = image.resolve("lib/runtime");
    return Files.exists(runtime) ? runtime.resolve("lib/classlist") : work.resolve("classlist");
  }

  private void record(LambdaForms forms) throws IOException, InterruptedException {
    Path whitelist = Files.writeString(work.resolve("whitelist"), "/bin/sh\n");
    Files.setPosixFilePermissions(whitelist, PosixFilePermissions.fromString("r--------"));
    String port = Integer.toString(freePort());
    Process proxy = recorded("udsproxyd", "1", "127.0.0.1", port, "127.0.0.1", port).start();
    Process server = recorded("rexec_server", "--whitelist", whitelist.toString()).start();
    Process agent = recorded("rexec_agent").start();
    try {
      awaitFile(work.resolve("rexec/agent.sock"), "rexec_agent", agent);
      awaitFile(work.resolve("qtfs/remote_uds.sock"), "udsproxyd", proxy);
      awaitFile(work.resolve("rexec/rexec_uds.sock"), "rexec_server", server);
      for (int i = 0; i < WARM_UP_RUNS; i++) {
        mainJob(program("rexec"));
      }
      for (int i = 0; i < CONNECTS; i++) {
        connect();
      }
      forms.add(mainJob(traced("rexec")));
      mainJob(recorded("rexec"));
    } finally {
      // Not destroyForcibly: the cache is written by a JVM that ends in good order.
      agent.destroy();
      proxy.destroy();
      server.destroy();
      end(agent);
      end(proxy);
      end(server);
    }
    // Without the kernel module, which a machine that builds does not have.
    end(traced("qtcfg", "-z").start());
    forms.add(log("qtcfg"));
    end(recorded("qtcfg", "-z").start());
  }

  /** An application's connect through the proxy, as docs/protocol.md has it, that says nothing. */
  private void connect() throws IOException {
    String path = work.resolve("rexec/rexec_uds.sock").toString();
    ByteBuffer request = ByteBuffer.allocate(112).order(ByteOrder.LITTLE_ENDIAN);
    request
        .putShort((short) 1)
        .putShort((short) 0)
        .put(path.getBytes(UTF_8))
        .position(0)
        .limit(112);
    ByteBuffer answer = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
    try (SocketChannel connector = open(work.resolve("qtfs/remote_uds.sock").toString())) {
      connector.write(request);
      while (answer.hasRemaining() && connector.read(answer) >= 0) {
        // the 4 bytes come in one piece, or not at all
      }
    }
    if (answer.getInt(0) != 1) {
      throw new IOException("udsproxyd does not connect to " + path + ": " + said("udsproxyd"));
    }
    try (SocketChannel application = open(path + ".proxy")) {
      application.shutdownOutput();
      application.read(answer.clear());
    }
  }

  private static SocketChannel open(String path) throws IOException {
    return SocketChannel.open(UnixDomainSocketAddress.of(path));
  }

  /**
   * Input, output, errors, an inherited file and an exit code: what a manager's call has.
   *
   * @return what came out
   */
  private Path mainJob(ProcessBuilder rexec) throws IOException, InterruptedException {
    Path inherited = Files.writeString(work.resolve("inherited"), "a file\n");
    Path output = work.resolve("output");
    List<String> job = List.of("/bin/sh", "-c", "cat; cat <&7; echo err >&2; exit 7");
    List<String> shell =
        List.of("/bin/sh", "-c", "f=$1; shift; exec \"$@\" 7<\"$f\"", "sh", inherited.toString());
    rexec.command(Stream.of(shell, rexec.command(), job).flatMap(List::stream).toList());
    rexec.redirectOutput(output.toFile());
    Process process = rexec.start();
    process.getOutputStream().write("input\n".getBytes(UTF_8));
    process.getOutputStream().close();
    end(process);
    List<String> lines = Files.readAllLines(output);
    if (process.exitValue() != 7 || !lines.containsAll(List.of("input", "a file", "err"))) {
      throw new IOException(
          "a training run of rexec ended with " + process.exitValue() + " and " + lines);
    }
    return output;
  }

  /** A program that tells the forms of method handles which it looks for. */
  private ProcessBuilder traced(String name, String... args) {
    ProcessBuilder builder = program(name, args);
    builder.environment().put("QTFS_JAVA_OPTIONS", LambdaForms.TRACED);
    return builder;
  }

  private ProcessBuilder program(String name, String... args) {
    ProcessBuilder builder =
        new ProcessBuilder(
            Stream.concat(Stream.of(image.resolve("bin/" + name).toString()), Stream.of(args))
                .toList());
    builder.directory(work.toFile());
    builder.redirectErrorStream(true);
    builder.redirectOutput(log(name).toFile());
    builder.environment().put("QTFS_JAVA_HOME", java.toString());
    builder.environment().put("QTFS_RUN_DIR", work.resolve("qtfs").toString());
    builder.environment().put("REXEC_RUN_DIR", work.resolve("rexec").toString());
    builder.environment().put("QTFS_CONNECT", "remote");
    return builder;
  }

  /** A program that writes its cache when it ends, in a second JVM that wants more memory. */
  private ProcessBuilder recorded(String name, String... args) {
    ProcessBuilder builder = program(name, args);
    builder
        .environment()
        .put("QTFS_JAVA_OPTIONS", "-XX:AOTCacheOutput=" + cache(name) + " -Dqtfs.training=true");
    builder.environment().put("JDK_AOT_VM_OPTIONS", "-Xmx512m");
    return builder;
  }

  private Path log(String program) {
    return work.resolve(program + ".log");
  }

  /** All that a daemon has told. */
  private String said(String program) throws IOException {
    return Files.exists(log(program)) ? Files.readString(log(program)) : "nothing";
  }

  private Path cache(String program) {
    return image.resolve("lib/aot/" + program + ".aot");
  }

  private Path recordedJvm() {
    return image.resolve("lib/aot/jvm");
  }

  /** The JVM's build as the launchers compute it: two values of its release file, in its order. */
  private String jvm() throws IOException {
    StringBuilder build = new StringBuilder();
    for (String line : Files.readAllLines(java.resolve("release"))) {
      if (line.startsWith("JAVA_VERSION=")) {
        break;
      }
      if (line.startsWith("IMPLEMENTOR_VERSION=") || line.startsWith("JAVA_RUNTIME_VERSION=")) {
        build.append(line.substring(line.indexOf('=') + 1));
      }
    }
    return build.append('\n').toString();
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private void awaitFile(Path file, String program, Process maker)
      throws IOException, InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
    while (!Files.exists(file)) {
      if (maker.waitFor(10, TimeUnit.MILLISECONDS) || System.nanoTime() > deadline) {
        throw new IOException("no " + file + " from " + program + ": " + said(program));
      }
    }
  }

  private static void end(Process process) throws IOException, InterruptedException {
    if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IOException("did not end: " + process.info().commandLine().orElse("?"));
    }
  }
}
