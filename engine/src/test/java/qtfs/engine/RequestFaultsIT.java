package qtfs.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import qtfs.engine.SimulatedServer.Request;
import qtfs.linux.Errno;
import qtfs.qtcfg.Qtcfg;
import qtfs.qtcfg.Qtinfo;
import qtfs.testing.Await;
import qtfs.whitelist.Group;

/**
 * Each request to the kernel module fails in turn, for each n the n-th of its kind: where the
 * engine starts, reads its whitelist again, serves and stops. It says so in a line, serves on or
 * ends with its code for a failure, and what is left of it in the module is what it says.
 */
final class RequestFaultsIT {
  private static final int FAILED = 255;
  private static final List<Integer> ERRNOS =
      List.of(Errno.EINVAL, Errno.ENOMEM, Errno.EFAULT, Errno.EBUSY, Errno.ENODEV);

  /** The long version: every error at every request, and an entry in every group. */
  private static final boolean ALL = Boolean.getBoolean("qtfs.faults.all");

  private static final String OLD = ALL ? Host.everyGroup("/srv") : some("/srv");
  private static final String NEW = ALL ? Host.everyGroup("/new") : some("/new");
  private static final Pattern RELOADED =
      Pattern.compile("whitelist read again|the new whitelist only in part");

  /** What stays: locks belong to whoever holds them, not to who has made the file. */
  private static final Set<String> STAYING = Set.of("engine.lock", "uds.lock");

  @TempDir Path directory;

  /** An error of one request. */
  private record Fault(String request, int n, int errno) {
    /** Of each of so many requests: in the short version one error each, another every time. */
    static Stream<Fault> ofEach(String request, int count) {
      return IntStream.rangeClosed(1, count)
          .boxed()
          .flatMap(
              n ->
                  (ALL ? ERRNOS : List.of(ERRNOS.get(n % ERRNOS.size())))
                      .stream().map(errno -> new Fault(request, n, errno)));
    }

    /** The same, but in the short version of the first and the last of them. */
    static Stream<Fault> some(String request, int count) {
      return ofEach(request, count).filter(fault -> ALL || fault.n == 1 || fault.n == count);
    }

    void set(Host host) throws IOException {
      host.kernel().fail(request, n, errno);
    }

    String message() {
      return Errno.message(errno);
    }

    @Override
    public String toString() {
      return n + ". " + request + ": " + message();
    }
  }

  private static String some(String path) {
    return Stream.of(Group.OPEN, Group.MOUNT, Group.KILL)
        .map(group -> "[" + group.title() + "]\nPath=" + path + "\n")
        .reduce("", String::concat);
  }

  private Host host() throws IOException {
    Host host = Host.in(Files.createTempDirectory(directory, "host"));
    Files.writeString(host.whitelist(), OLD);
    return host;
  }

  private static EngineProcess start(Host host) throws Exception {
    return host.start(1, "--no-watch");
  }

  /** How often it asks for each thing from a point of the log on. */
  private static Map<String, Integer> counts(Host host, int from) throws IOException {
    Map<String, Integer> counts = new TreeMap<>();
    List<Request> log = host.kernel().log();
    for (Request request : log.subList(from, log.size())) {
      counts.merge(request.name().split(" ", 2)[0], 1, Integer::sum);
    }
    return counts;
  }

  private static void expectDisarmed(Host host) throws IOException {
    List<Request> exits = host.kernel().log("EXIT");
    if (!exits.isEmpty()) {
      assertThat(exits.getLast().name()).isEqualTo("EXIT 0");
      assertThat(exits.getLast().answer()).isZero();
    }
    assertThat(host.kernel().list(Group.OPEN)).isEmpty();
    String[] names = host.run().toFile().list();
    assertThat(names == null ? List.of() : Arrays.asList(names)).isSubsetOf(STAYING);
  }

  private static void stop(EngineProcess engine, Host host) throws Exception {
    engine.signal("TERM");
    assertThat(engine.exitCode()).as(engine.said()).isZero();
    expectDisarmed(host);
  }

  private static void hangUp(EngineProcess engine) throws Exception {
    long before = reloads(engine);
    engine.signal("HUP");
    Await.until("it has read its whitelist again", () -> reloads(engine) > before);
  }

  private static long reloads(EngineProcess engine) {
    return RELOADED.matcher(engine.said()).results().count();
  }

  private static void expectLists(Host host, String path) throws IOException {
    for (Group group : List.of(Group.OPEN, Group.MOUNT, Group.KILL)) {
      assertThat(host.kernel().list(group)).as("%s", group).containsExactly(path);
    }
  }

  @TestFactory
  Stream<DynamicTest> atItsStart() throws Exception {
    Map<String, Integer> counts;
    Host host = host();
    try (EngineProcess engine = start(host).ready()) {
      counts = counts(host, 0);
      stop(engine, host);
    }
    assertThat(counts).containsKeys("EPFDSET", "EXIT", "WL_ADD", "THREAD_INIT");
    return Stream.of("EPFDSET", "EXIT", "WL_ADD", "THREAD_INIT")
        .flatMap(request -> Fault.ofEach(request, counts.getOrDefault(request, 0)))
        .map(fault -> DynamicTest.dynamicTest(fault.toString(), () -> strikeStart(fault)));
  }

  private void strikeStart(Fault fault) throws Exception {
    Host host = host();
    fault.set(host);
    try (EngineProcess engine = start(host)) {
      if (engine.serves()) {
        assertThat(engine.said()).contains("does not take", fault.message() + "; a reload tries");
        hangUp(engine);
        assertThat(engine.said()).contains("1 added, 0 removed");
        expectLists(host, "/srv");
        stop(engine, host);
      } else {
        assertThat(engine.exitCode()).as(engine.said()).isEqualTo(FAILED);
        assertThat(engine.said().lines().filter(line -> line.contains(fault.message() + "; ")))
            .singleElement()
            .asString()
            .startsWith("engine: ");
        expectDisarmed(host);
      }
    }
    assertThat(host.kernel().hasFailed()).isTrue();
  }

  @TestFactory
  Stream<DynamicTest> atItsEnd() {
    return ERRNOS.stream()
        .limit(ALL ? ERRNOS.size() : 2)
        .map(errno -> new Fault("EXIT", 1, errno))
        .map(fault -> DynamicTest.dynamicTest(fault.toString(), () -> strikeEnd(fault)));
  }

  private void strikeEnd(Fault fault) throws Exception {
    Host host = host();
    try (EngineProcess engine = start(host).ready()) {
      fault.set(host);
      engine.signal("TERM");
      if (fault.errno() == Errno.ENODEV) {
        assertThat(engine.exitCode()).as(engine.said()).isZero(); // nothing is there to be armed
        return;
      }
      assertThat(engine.exitCode()).as(engine.said()).isEqualTo(FAILED);
      assertThat(engine.said())
          .containsOnlyOnce("ERROR the kernel module is left armed with its whitelists: ")
          .contains(fault.message() + "; ");
      expectLists(host, "/srv");
    }
    try (EngineProcess next = start(host).ready()) {
      stop(next, host);
    }
  }

  @Test
  void whenItReadsItsWhitelistAgain() throws Exception {
    Host host = host();
    try (EngineProcess engine = start(host).ready()) {
      int start = host.kernel().log().size();
      Files.writeString(host.whitelist(), NEW);
      hangUp(engine);
      Map<String, Integer> counts = counts(host, start);
      assertThat(counts).containsKeys("WL_ADD", "WL_GET", "WL_DEL");
      Files.writeString(host.whitelist(), OLD);
      hangUp(engine);
      int descriptors = descriptors(engine);
      for (String request : List.of("WL_ADD", "WL_DEL", "WL_GET")) {
        for (Fault fault : Fault.ofEach(request, counts.getOrDefault(request, 0)).toList()) {
          strikeReload(engine, host, fault);
        }
      }
      // One is the simulated kernel's, for its log and its knobs.
      assertThat(descriptors(engine)).isBetween(descriptors - 2, descriptors + 2);
      stop(engine, host);
    }
  }

  private static int descriptors(EngineProcess engine) throws IOException {
    try (Stream<Path> all = Files.list(engine.proc("fd"))) {
      return (int) all.count();
    }
  }

  private static void strikeReload(EngineProcess engine, Host host, Fault fault) throws Exception {
    int said = engine.said().length();
    fault.set(host);
    Files.writeString(host.whitelist(), NEW);
    hangUp(engine);
    assertThat(host.kernel().hasFailed()).as("%s", fault).isTrue();
    assertThat(engine.said().substring(said).lines().filter(line -> line.contains("ERROR")))
        .as("%s", fault)
        .singleElement()
        .asString()
        .contains("only in part: ", fault.message() + "; SIGHUP tries again");
    hangUp(engine);
    expectLists(host, "/new");
    Files.writeString(host.whitelist(), OLD);
    hangUp(engine);
    expectLists(host, "/srv");
  }

  @Test
  void whileItServes() throws Exception {
    Host host = host();
    host.kernel().set("run_ms", 20);
    host.kernel().set("client", 1);
    new Fault("EPOLL_THREAD_INIT", 1, Errno.EINVAL).set(host);
    try (EngineProcess engine = start(host).ready()) {
      Await.until("it has asked for a client", () -> host.kernel().hasFailed());
      for (String request : List.of("THREAD_RUN", "EPOLL_THREAD_RUN")) {
        for (Fault fault : Fault.ofEach(request, 5).toList()) {
          if (fault.errno() != Errno.ENODEV) {
            fault.set(host);
            Await.until("the " + fault, () -> host.kernel().hasFailed());
            int requests = host.kernel().log(request).size();
            Await.until("it goes on", () -> host.kernel().log(request).size() > requests + 1);
          }
        }
      }
      assertThat(engine.said()).containsOnlyOnce("failed, and is repeated: ");
      stop(engine, host);
    }
  }

  @TestFactory
  Stream<DynamicTest> whileItServesAndTheModuleGoes() {
    List<String> requests = new ArrayList<>(List.of("THREAD_RUN"));
    if (ALL) {
      requests.addAll(List.of("EPOLL_THREAD_RUN", "EPOLL_THREAD_INIT"));
    }
    return requests.stream()
        .map(request -> new Fault(request, 1, Errno.ENODEV))
        .map(fault -> DynamicTest.dynamicTest(fault.toString(), () -> strikeService(fault)));
  }

  private void strikeService(Fault fault) throws Exception {
    Host host = host();
    host.kernel().set("run_ms", 20);
    host.kernel().set("client", fault.request().equals("EPOLL_THREAD_RUN") ? 1 : 0);
    try (EngineProcess engine = start(host).ready()) {
      fault.set(host);
      assertThat(engine.exitCode()).as(engine.said()).isEqualTo(FAILED);
      assertThat(engine.said())
          .containsOnlyOnce("the kernel module is gone: No such device; load the kernel module");
      expectDisarmed(host);
    }
  }

  @Test
  @EnabledIfSystemProperty(named = "qtfs.faults.all", matches = "true", disabledReason = "30 s")
  void whileItServesAndTheModuleFailsForLong() throws Exception {
    Host host = host();
    host.kernel().set("run_ms", 20);
    try (EngineProcess engine = start(host).ready()) {
      host.kernel().set("gone", Errno.ENOMEM);
      Await.until(
          "it gives up", Duration.ofSeconds(90), () -> engine.said().contains("for 30 s: Cannot"));
      assertThat(engine.exitCode()).isEqualTo(FAILED);
      assertThat(engine.said())
          .containsOnlyOnce("failed, and is repeated: Cannot allocate memory")
          .containsOnlyOnce("left armed with its whitelists: ");
    }
  }

  /** What a program that asks the module for something has said, and its exit code. */
  private record Result(String out, String err, int code) {}

  private static Result run(Host host, Class<?> program, List<String> arguments) throws Exception {
    Path out = host.directory().resolve("out");
    Path err = host.directory().resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(EngineProcess.command(program, arguments))
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().put("LD_PRELOAD", SimulatedServer.preload());
    builder.environment().put("SIMKERNEL_DIR", host.directory().toString());
    Process process = builder.start();
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("hangs: " + arguments);
    }
    return new Result(Files.readString(out), Files.readString(err), process.exitValue());
  }

  /** What is asked of the module by the other two programs, and with which requests. */
  private enum Command {
    LOAD(Qtcfg.class, "load", "WL_ADD", "WL_DEL", "WL_GET"),
    SAVE(Qtcfg.class, "save", "WL_GET"),
    STATS(Qtinfo.class, "stats", "ALLINFO"),
    CLEAR(Qtinfo.class, "clear", "CLEARALL"),
    LEVEL(Qtinfo.class, "loglevel", "LOGLEVEL"),
    LIST(Qtcfg.class, "-z", "WL_GET");

    private final Class<?> program;
    private final String word;
    private final List<String> requests;

    Command(Class<?> program, String word, String... requests) {
      this.program = program;
      this.word = word;
      this.requests = List.of(requests);
    }

    private Result run(Host host) throws Exception {
      return RequestFaultsIT.run(
          host,
          program,
          switch (this) {
            case LOAD -> List.of(word, host.whitelist().toString());
            case SAVE, STATS, CLEAR, LIST -> List.of(word);
            case LEVEL -> List.of(word, "DEBUG");
          });
    }
  }

  @ParameterizedTest
  @EnumSource
  void whileAToolAsks(Command command) throws Exception {
    Host host = host();
    assertThat(Command.LOAD.run(host).code()).isZero();
    Files.writeString(host.whitelist(), NEW);
    int start = host.kernel().log().size();
    assertThat(command.run(host).code()).isZero();
    Map<String, Integer> counts = counts(host, start);
    for (String request : command.requests) {
      assertThat(counts).containsKey(request);
      for (Fault fault : Fault.some(request, counts.getOrDefault(request, 0)).toList()) {
        strikeTool(host, command, fault);
      }
    }
  }

  private static void strikeTool(Host host, Command command, Fault fault) throws Exception {
    host.kernel().reset();
    Files.writeString(host.whitelist(), OLD);
    assertThat(Command.LOAD.run(host).code()).isZero();
    Files.writeString(host.whitelist(), NEW);
    fault.set(host);
    Result result = command.run(host);
    assertThat(host.kernel().hasFailed()).as("%s", fault).isTrue();
    assertThat(result.code()).as("%s, %s", fault, result).isNotZero();
    String where = command == Command.LIST ? result.out() : result.err();
    assertThat(where.lines().filter(line -> line.contains(fault.message())))
        .as("%s, %s", fault, result)
        .hasSize(1);
  }
}
