package qtfs.rexec;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import qtfs.linux.ByteStrings;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.Pipe;
import qtfs.testing.Await;
import qtfs.udsproxy.connector.RemoteConnector;

/** A server in this JVM, and calls of the client beside it or as processes. */
final class Harness implements Closeable {
  static final Duration LIMIT = Duration.ofSeconds(30);

  /** No numbers of processes: what calls in this JVM name their pid files by. */
  private static final AtomicInteger PIDS = new AtomicInteger(1_000_000_000);

  final Path dir;
  final Path runDir;
  final Path whitelistFile;
  final ServerContext context;
  private final Server server;

  Harness(Path dir, String... allowed) throws IOException, PolicyFiles.BrokenException {
    this.dir = dir;
    this.runDir = dir.resolve("rexec");
    this.whitelistFile = whitelist(dir, allowed);
    List<String> environment = new ArrayList<>(ByteStrings.split("/proc/self/environ"));
    environment.add("LD_TRACE_LOADED_OBJECTS=1");
    environment.add("GREETING=hello");
    this.context =
        new ServerContext(
            CurrentPolicy.load(PolicyFiles.beside(whitelistFile)), runDir, environment);
    this.server = Server.start(runDir, context, 64);
  }

  static Path whitelist(Path dir, String... allowed) throws IOException {
    Path file = Files.write(dir.resolve("whitelist"), List.of(allowed));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--------"));
    return file;
  }

  Path socket() {
    return runDir.resolve("rexec_uds.sock");
  }

  /** What came of a call; {@code complaint} is the line that the command would print. */
  record Outcome(int code, String output, String stderr, String complaint) {
    /** Standard output as a text; {@code output} is a byte string. */
    String text() {
      return ByteStrings.text(output);
    }
  }

  Outcome call(String... argv) throws Exception {
    return call(new byte[0], argv);
  }

  /** Runs a client on threads of this JVM. */
  Outcome call(byte[] stdin, String... argv) throws Exception {
    return call(stdin, List.of(), argv);
  }

  Outcome call(byte[] stdin, List<InheritedFile> files, String... argv) throws Exception {
    return call(dir, stdin, false, files, argv);
  }

  /** Like {@link #call}, with inherited streams that do not block. */
  Outcome callNonBlocking(byte[] stdin, String... argv) throws Exception {
    return call(dir, stdin, true, List.of(), argv);
  }

  /** Runs a client with whatever server listens in a directory. */
  static Outcome call(
      Path dir, byte[] stdin, boolean nonBlocking, List<InheritedFile> files, String... argv)
      throws Exception {
    return call(dir, Manner.USUAL, stdin, nonBlocking, files, argv);
  }

  /** The same, called as options say. */
  static Outcome call(
      Path dir,
      Manner manner,
      byte[] stdin,
      boolean nonBlocking,
      List<InheritedFile> files,
      String... argv)
      throws Exception {
    try (Pipe in = Pipe.open();
        Pipe out = Pipe.open();
        Pipe err = Pipe.open()) {
      CompletableFuture<Boolean> written = background(() -> writeAll(in.write(), stdin));
      CompletableFuture<byte[]> stdout = background(() -> readAll(out.read()));
      CompletableFuture<byte[]> stderr = background(() -> readAll(err.read()));
      if (nonBlocking) {
        Fcntl.statusFlags(in.read(), Fd.O_RDONLY | Fd.O_NONBLOCK);
        Fcntl.statusFlags(out.write(), Fd.O_WRONLY | Fd.O_NONBLOCK);
      }
      Client client =
          new Client(
              settings(dir, manner, in.read(), out.write(), err.write(), files),
              Arrays.stream(argv).map(ByteStrings::of).toList());
      int code;
      String complaint = "";
      try {
        code = client.run().code();
      } catch (RexecException e) {
        code = e.exitCode();
        complaint = String.valueOf(e.getMessage());
      }
      closeAll(out.write(), err.write(), in.read());
      get(written);
      return new Outcome(
          code, new String(get(stdout), ISO_8859_1), new String(get(stderr), UTF_8), complaint);
    }
  }

  private static void closeAll(Fd... fds) {
    Fd.closeAll(List.of(fds));
  }

  private static Client.Settings settings(
      Path dir, Manner manner, Fd in, Fd out, Fd err, List<InheritedFile> files) {
    return new Client.Settings(
        new RemoteConnector(dir.toString(), false),
        dir.resolve("rexec").toString(),
        new OwnProcess(PIDS.incrementAndGet(), in, out, err, files, new ClientSignals()),
        null,
        manner,
        true,
        false);
  }

  /** What a command line of this process would say. */
  static RexecOptions options(String... arguments) throws Exception {
    OwnProcess process = new OwnProcess(0, null, null, null, List.of(), new ClientSignals());
    return RexecOptions.parse(List.of(arguments), process);
  }

  /** Describes a process of one of the two programs. */
  static ProcessBuilder java(Class<?> program, String... args) {
    List<String> command =
        new ArrayList<>(
            List.of(
                System.getProperty("java.home") + "/bin/java",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                String.valueOf(System.getProperty("java.class.path")),
                program.getName()));
    command.addAll(List.of(args));
    return new ProcessBuilder(command);
  }

  /** Describes a process of the client. */
  ProcessBuilder rexec(String... args) {
    ProcessBuilder builder = java(Rexec.class, args);
    builder.environment().put("REXEC_RUN_DIR", runDir.toString());
    builder.environment().put("QTFS_RUN_DIR", dir.toString());
    return builder;
  }

  /**
   * The same as the launcher starts it: with its signals blocked, and none of them ignored as a
   * shell has it in the background.
   */
  ProcessBuilder rexecWithSignals(String... args) {
    ProcessBuilder builder = rexec(args);
    String signals = "HUP,INT,QUIT,USR1,USR2,TERM,CONT,TSTP,WINCH";
    builder
        .command()
        .addAll(
            0,
            List.of(
                "env",
                "--default-signal=" + signals,
                "--block-signal=" + signals,
                "_JAVA_SR_SIGNUM=16"));
    builder.command().add(builder.command().indexOf(Rexec.class.getName()), "-Xrs");
    return builder;
  }

  /** The same behind a shell script, in which the client is {@code "$@"}. */
  ProcessBuilder rexecIn(String script, String... args) {
    ProcessBuilder builder = rexec(args);
    List<String> command = new ArrayList<>(List.of("/bin/bash", "-c", script, "bash"));
    command.addAll(builder.command());
    return builder.command(command);
  }

  /** Waits for a process that says little. */
  static Outcome outcome(Process process) throws Exception {
    CompletableFuture<byte[]> stderr = background(() -> process.getErrorStream().readAllBytes());
    byte[] stdout = get(background(() -> process.getInputStream().readAllBytes()));
    if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("not within " + LIMIT);
    }
    return new Outcome(
        process.exitValue(), new String(stdout, ISO_8859_1), new String(get(stderr), UTF_8), "");
  }

  static <T> CompletableFuture<T> background(Callable<T> action) {
    CompletableFuture<T> result = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                result.complete(action.call());
              } catch (Exception | AssertionError e) {
                result.completeExceptionally(e);
              }
            });
    thread.setDaemon(true);
    thread.start();
    return result;
  }

  static <T> T get(CompletableFuture<T> future) throws Exception {
    try {
      return future.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new AssertionError(e);
    }
  }

  static byte[] readAll(Fd fd) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(65536);
      for (long n; (n = fd.read(buffer, 65536)) > 0; ) {
        bytes.writeBytes(buffer.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE));
      }
    }
    return bytes.toByteArray();
  }

  /** Writes and closes; false if nobody took all of it. */
  static boolean writeAll(Fd fd, byte[] bytes) {
    try (fd;
        Arena arena = Arena.ofConfined()) {
      MemorySegment segment = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
      long at = 0;
      while (at < bytes.length) {
        long n = fd.write(segment.address() + at, bytes.length - at);
        if (n < 0) {
          return false;
        }
        at += n;
      }
      return true;
    }
  }

  /** Whether a process exists and is no zombie. */
  static boolean isAlive(long pid) {
    try {
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
      return stat.charAt(stat.lastIndexOf(')') + 2) != 'Z';
    } catch (IOException e) {
      return false;
    }
  }

  /** The content of a small file, once it has any. */
  static String awaitContent(Path file) throws IOException {
    Await.until("content of " + file, () -> Files.exists(file) && file.toFile().length() > 0);
    return Files.readString(file).strip();
  }

  @Override
  public void close() {
    server.close();
  }
}
