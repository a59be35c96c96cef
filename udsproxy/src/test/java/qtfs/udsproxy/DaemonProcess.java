package qtfs.udsproxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import qtfs.testing.Await;
import qtfs.testing.Skip;

/** The program udsproxyd as a process of its own, on the JVM and with the classes of the tests. */
final class DaemonProcess implements AutoCloseable {
  private final Process process;
  private final Path out;
  private final Path err;

  private DaemonProcess(Process process, Path out, Path err) {
    this.process = process;
    this.out = out;
    this.err = err;
  }

  /** The same with options of the JVM, which come last and win. */
  static DaemonProcess startWith(List<String> options, Path directory, List<String> arguments)
      throws IOException {
    return started(directory, command(options, arguments));
  }

  /** Starts it with these arguments; its output goes to files in the directory. */
  static DaemonProcess start(Path directory, List<String> arguments) throws IOException {
    return startBy(List.of(), directory, arguments);
  }

  /**
   * The same, started by another program.
   *
   * @param launcher a command that executes what follows it
   */
  static DaemonProcess startBy(List<String> launcher, Path directory, List<String> arguments)
      throws IOException {
    List<String> command = new ArrayList<>(launcher);
    command.addAll(command(List.of(), arguments));
    return started(directory, command);
  }

  /** A launcher for {@link #startBy}: so many descriptors and no more, for root too. */
  static List<String> withDescriptors(int count) {
    Skip.unless(
        Files.isExecutable(Path.of("/usr/bin/prlimit"))
            && Files.isExecutable(Path.of("/usr/bin/setpriv")),
        "prlimit or setpriv is missing: apt-get install util-linux");
    // Without this capability root cannot raise its own limit again, as the daemon does.
    return List.of(
        "/usr/bin/setpriv",
        "--bounding-set=-sys_resource",
        "/usr/bin/prlimit",
        "--nofile=" + count);
  }

  private static DaemonProcess started(Path directory, List<String> command) throws IOException {
    Path out = Files.createTempFile(directory, "out", "");
    Path err = Files.createTempFile(directory, "err", "");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder
        .environment()
        .keySet()
        .removeAll(List.of("QTFS_RUN_DIR", "JOURNAL_STREAM", "NOTIFY_SOCKET"));
    return new DaemonProcess(builder.start(), out, err);
  }

  /** What starts it. */
  static List<String> command(List<String> arguments) throws IOException {
    return command(List.of(), arguments);
  }

  private static List<String> command(List<String> options, List<String> arguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(System.getProperty("java.home") + "/bin/java");
    command.addAll(
        List.of(
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xmx64m"));
    command.addAll(options);
    command.addAll(List.of("-cp", Jars.classPath(), Udsproxyd.class.getName()));
    command.addAll(arguments);
    return command;
  }

  /** Waits until it serves. */
  DaemonProcess ready() throws Exception {
    Await.until(
        "it serves: " + err,
        () -> {
          if (!process.isAlive()) {
            throw new AssertionError("ended with " + process.exitValue() + ": " + stderr());
          }
          return stderr().contains("listening on");
        });
    return this;
  }

  long pid() {
    return process.pid();
  }

  String stdout() throws IOException {
    return Files.readString(out, UTF_8);
  }

  String stderr() throws IOException {
    return Files.readString(err, UTF_8);
  }

  /** The exit code, waited for at most so long. */
  int exitCode(int seconds) throws Exception {
    if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
      throw new AssertionError("still running after " + seconds + " s: " + stderr());
    }
    return process.exitValue();
  }

  void signal(String name) throws Exception {
    int code = new ProcessBuilder("kill", "-" + name, Long.toString(pid())).start().waitFor();
    if (code != 0) {
      throw new AssertionError("kill -" + name + " " + pid() + " failed");
    }
  }

  /** Waits until it has said something. */
  void awaitSaid(String text) throws Exception {
    Await.until("it says " + text + ": " + err, () -> stderr().contains(text));
  }

  /** SIGTERM. */
  void terminate() {
    process.destroy();
  }

  /** SIGKILL. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** The comm of each thread. */
  List<String> comms() throws IOException {
    try (Stream<Path> tasks = Files.list(Path.of("/proc/" + pid() + "/task"))) {
      return tasks.map(task -> comm(task.resolve("comm"))).toList();
    }
  }

  String comm() {
    return comm(Path.of("/proc/" + pid() + "/comm"));
  }

  private static String comm(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException e) {
      return "(ended)";
    }
  }

  /** Processor time used so far, in clock ticks of 10 ms. */
  long ticks() throws IOException {
    String stat = Files.readString(Path.of("/proc/" + pid() + "/stat"));
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    return Long.parseLong(fields[11]) + Long.parseLong(fields[12]); // utime, stime: proc(5)
  }

  @Override
  public void close() {
    try {
      kill();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
