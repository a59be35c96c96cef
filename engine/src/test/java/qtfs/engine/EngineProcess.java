package qtfs.engine;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import qtfs.testing.Await;

/** The program engine as a process of its own, in front of a {@link SimulatedServer}. */
final class EngineProcess implements AutoCloseable {
  /** Of the install image whose engine is tested; null for that of this build's classes. */
  private static final @Nullable String IMAGE = System.getProperty("qtfs.image");

  private final Process process;
  private final Path err;

  private EngineProcess(Process process, Path err) {
    this.process = process;
    this.err = err;
  }

  static EngineProcess start(SimulatedServer kernel, List<String> arguments) throws Exception {
    return start(kernel, arguments, Map.of());
  }

  static EngineProcess start(
      SimulatedServer kernel, List<String> arguments, Map<String, String> environment)
      throws Exception {
    List<String> command = command(Engine.class, arguments);
    Path err = Files.createTempFile(kernel.directory(), "err", "");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(err.toFile()))
            .redirectError(err.toFile());
    Map<String, String> all = builder.environment();
    all.keySet().removeAll(List.of("QTFS_RUN_DIR", "JOURNAL_STREAM", "NOTIFY_SOCKET"));
    // For an image that has no runtime of its own.
    all.put("JAVA_HOME", System.getProperty("java.home"));
    all.put("LD_PRELOAD", SimulatedServer.preload());
    all.put("SIMKERNEL_DIR", kernel.directory().toString());
    all.putAll(environment);
    return new EngineProcess(builder.start(), err);
  }

  /** That of a program of the build under test. */
  static List<String> command(Class<?> program, List<String> arguments) {
    String name = program.getSimpleName().toLowerCase(Locale.ROOT);
    List<String> command =
        new ArrayList<>(IMAGE == null ? java(program) : List.of(IMAGE + "/bin/" + name));
    command.addAll(arguments);
    return command;
  }

  private static List<String> java(Class<?> program) {
    return List.of(
        System.getProperty("java.home") + "/bin/java",
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-XX:-UsePerfData",
        "-Xmx64m",
        "-cp",
        System.getProperty("java.class.path"),
        program.getName());
  }

  /** Waits until it serves. */
  EngineProcess ready() throws Exception {
    if (!serves()) {
      throw new AssertionError("ended with " + process.exitValue() + ": " + said());
    }
    return this;
  }

  /** Whether it serves rather than ends. */
  boolean serves() throws Exception {
    Await.until("it serves, or ends", () -> !process.isAlive() || said().contains("listening on"));
    return process.isAlive();
  }

  long pid() {
    return process.pid();
  }

  /** What it has written. */
  String said() {
    try {
      String said = Files.readString(err, UTF_8);
      if (said.contains("cannot be preloaded")) {
        throw new AssertionError("not in front of the simulated module: " + said);
      }
      return said;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The exit code, waited for. */
  int exitCode() throws Exception {
    if (!process.waitFor(30, TimeUnit.SECONDS)) {
      throw new AssertionError("still running: " + said());
    }
    return process.exitValue();
  }

  void signal(String name) throws Exception {
    int code = new ProcessBuilder("kill", "-" + name, Long.toString(pid())).start().waitFor();
    if (code != 0) {
      throw new AssertionError("kill -" + name + " " + pid() + " failed");
    }
  }

  /** The comm of each thread. */
  List<String> comms() throws IOException {
    try (Stream<Path> tasks = Files.list(proc("task"))) {
      return tasks.map(task -> read(task.resolve("comm")).strip()).toList();
    }
  }

  Path proc(String file) {
    return Path.of("/proc/" + pid() + "/" + file);
  }

  static String read(Path file) {
    try {
      return Files.readString(file, UTF_8);
    } catch (IOException e) {
      return ""; // ended in between
    }
  }

  @Override
  public void close() {
    process.destroyForcibly().onExit().join();
  }
}
