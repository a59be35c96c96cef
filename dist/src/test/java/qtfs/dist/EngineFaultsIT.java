package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import qtfs.dist.Injection.Fault;
import qtfs.testing.Await;
import qtfs.testing.CCompiler;
import qtfs.testing.Ports;

/**
 * Each system call of engine's start fails in turn, in front of a simulated kernel module: it
 * serves all the same and ends when told to, or says why it does not, and either way leaves the
 * module disarmed and no socket. What the module itself answers is varied by the engine's own
 * tests.
 */
final class EngineFaultsIT {
  private static final Path IMAGE = Path.of(System.getProperty("qtfs.image", "")).toAbsolutePath();
  private static final int FAILED = 255;
  private static final long LIMIT_SECONDS = 60;

  /** What stays: locks belong to whoever holds them, not to who has made the file. */
  private static final Set<String> STAYING = Set.of("engine.lock", "uds.lock");

  private static final List<List<String>> CALLS =
      List.of(
          List.of("bind", "EADDRINUSE", "EACCES", "ENOSPC"),
          List.of("epoll_create1", "EMFILE", "ENFILE", "ENOMEM"),
          List.of("eventfd2", "EMFILE", "ENFILE"),
          List.of("mkdir", "ENOSPC", "EACCES"),
          List.of("listen", "EADDRINUSE"),
          List.of("socket", "EMFILE", "ENFILE", "ENOMEM"),
          List.of("flock", "ENOLCK"),
          List.of("clone3", "EAGAIN"),
          List.of("openat", "EMFILE", "ENFILE", "EACCES"));

  /** So many of them in the short version: an engine takes a second to start. */
  private static final int SHORT = 3;

  @TempDir private static Path directory;
  private static String preload = "";

  @BeforeAll
  static void compile() throws Exception {
    Strace.need();
    preload =
        CCompiler.library(Path.of("../engine/src/test/c/simserver.c"))
            + ":"
            + CCompiler.library(Path.of("../qtcfg/src/test/c/simkernel.c"));
  }

  @TestFactory
  Stream<DynamicTest> itsStart() throws Exception {
    Map<String, Set<Integer>> own = ownCalls();
    return CALLS.stream()
        .limit(Fault.all() ? Integer.MAX_VALUE : SHORT)
        .filter(call -> own.containsKey(call.getFirst()))
        .flatMap(Fault::of)
        .map(
            fault ->
                DynamicTest.dynamicTest(
                    fault.toString(),
                    () -> strike(fault, own.getOrDefault(fault.call(), Set.of()))));
  }

  private static Map<String, Set<Integer>> ownCalls() throws Exception {
    Set<String> calls = new TreeSet<>();
    CALLS.forEach(call -> calls.add(call.getFirst()));
    Run run = Run.start(StartTrace.options(calls));
    assertThat(run.end()).as("%s", run).isZero();
    Map<String, Set<Integer>> own = StartTrace.own(run.trace(), "/whitelist\"");
    assertThat(own).containsKeys("bind", "epoll_create1");
    return own;
  }

  private static void strike(Fault fault, Set<Integer> numbers) throws Exception {
    for (int n : numbers) {
      Run run = Run.start(fault.options(n));
      int code = run.end();
      if (code != 0) {
        assertThat(code).as("after the %d. %s: %s", n, fault, run).isEqualTo(FAILED);
        assertThat(run.said()).as("after the %d. %s", n, fault).contains("engine: ");
      }
      assertThat(run.left()).as("after the %d. %s: %s", n, fault, run).isEmpty();
    }
  }

  /** An engine with a module, a run directory and a port of its own. */
  private record Run(Process strace, Path home) {
    static Run start(List<String> options) throws IOException {
      Path home = Files.createTempDirectory(directory, "run");
      Files.writeString(home.resolve("server"), "");
      Files.writeString(home.resolve("whitelist"), "[Mount]\nPath=/srv\n");
      List<String> command = new ArrayList<>(List.of("strace"));
      command.addAll(options);
      command.addAll(
          List.of("-o", home.resolve("trace").toString(), "-E", "LD_PRELOAD=" + preload));
      command.addAll(List.of(IMAGE + "/bin/engine", "--run-dir=" + home.resolve("run")));
      command.addAll(List.of("--whitelist=" + home.resolve("whitelist"), "1", "1"));
      command.addAll(List.of("127.0.0.1", port(), "127.0.0.1", port()));
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
      builder.redirectOutput(home.resolve("said").toFile());
      builder.environment().put("SIMKERNEL_DIR", home.toString());
      builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
      return new Run(builder.start(), home);
    }

    private static String port() throws IOException {
      return Integer.toString(Ports.free());
    }

    Path trace() {
      return home.resolve("trace");
    }

    String said() throws IOException {
      return Files.readString(home.resolve("said"));
    }

    /** Its exit code; once it serves it is told to stop. */
    int end() throws Exception {
      try {
        Await.until(
            "it serves or ends: " + home,
            () -> !strace.isAlive() || said().contains("listening on"));
        strace.children().forEach(ProcessHandle::destroy);
        assertThat(strace.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).as("hangs: %s", this).isTrue();
        return strace.exitValue();
      } finally {
        strace.children().forEach(ProcessHandle::destroyForcibly);
        strace.destroyForcibly();
      }
    }

    /** Sockets in the run directory, and a module that still serves. */
    List<String> left() throws IOException {
      List<String> left = new ArrayList<>();
      String[] names = home.resolve("run").toFile().list();
      left.addAll(names == null ? List.of() : List.of(names));
      left.removeAll(STAYING);
      Path log = home.resolve("server.log");
      List<String> exits =
          Files.notExists(log)
              ? List.of()
              : Files.readAllLines(log).stream().filter(line -> line.contains(" EXIT ")).toList();
      if (!exits.isEmpty() && !exits.getLast().contains(" EXIT 0")) {
        left.add("the module, armed");
      }
      return left;
    }

    @Override
    public String toString() {
      try {
        return said();
      } catch (IOException e) {
        return e.toString();
      }
    }
  }
}
