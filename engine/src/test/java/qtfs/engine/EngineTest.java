package qtfs.engine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.engine.SimulatedServer.Request;
import qtfs.linux.FileStatus;
import qtfs.qtcfg.Role;
import qtfs.testing.Await;
import qtfs.whitelist.Group;

/** The program from its start to its end, in front of a simulated kernel. */
final class EngineTest {
  private static final int FAILED = 255;
  private static final Pattern OURS = Pattern.compile(".*(\\.lock|/server|event(poll|fd)\\])");

  @TempDir Path directory;
  private Host host;
  private SimulatedServer kernel;
  private Path whitelist;
  private int port;

  @BeforeEach
  void load() throws IOException {
    host = Host.in(directory);
    kernel = host.kernel();
    whitelist = host.whitelist();
    port = host.port();
  }

  private EngineProcess start(int threads) throws Exception {
    return host.start(threads);
  }

  private void expectFailure(EngineProcess engine, String said) throws Exception {
    assertThat(engine.exitCode()).isEqualTo(FAILED);
    assertThat(engine.said().strip().lines().reduce((first, last) -> last).orElse(""))
        .contains(said);
  }

  /** The requests of the deployed engine's threads, in the order in which they were made. */
  private static List<String> recorded() throws IOException {
    try (InputStream in =
        requireNonNull(EngineTest.class.getResourceAsStream("engine-strace.txt"))) {
      List<String> names = new ArrayList<>();
      for (String line : new String(in.readAllBytes(), UTF_8).lines().toList()) {
        if (line.contains("SIGINT")) {
          return names; // from here on the threads stop it, one after the other
        }
        name(line).ifPresent(names::add);
      }
      return names;
    }
  }

  private static Optional<String> name(String line) {
    if (line.contains("openat")) {
      return Optional.of("open");
    }
    // strace takes the first two for a sound card's
    List<List<String>> names =
        List.of(
            List.of("SNDCTL_SEQ_RESET", "THREAD_INIT"),
            List.of("SNDCTL_SEQ_SYNC", "THREAD_RUN"),
            List.of("0x51, 0x2,", "EPFDSET"),
            List.of("0x51, 0x3,", "EPOLL_THREAD_INIT"),
            List.of("0x51, 0x5,", "EXIT"),
            List.of("0x51, 0xa,", "WL_ADD"));
    return names.stream()
        .filter(pair -> line.contains("ioctl(") && line.contains(pair.get(0)))
        .map(pair -> pair.get(1))
        .findFirst();
  }

  @Test
  void asksTheKernelInTheOrderOfTheDeployedEngine() throws Exception {
    try (EngineProcess engine = start(2).ready()) {
      Await.until(
          "its threads run",
          () -> kernel.log("THREAD_RUN").size() >= 2 && !kernel.log("EPOLL_THREAD_INIT").isEmpty());
      List<Request> log = kernel.log();
      List<String> recorded = recorded();
      int untilThreads = recorded.indexOf("THREAD_INIT") + 1;
      assertThat(untilThreads).isEqualTo(18);
      assertThat(log.subList(0, untilThreads))
          .extracting(request -> request.name().split(" ", 2)[0])
          .isEqualTo(recorded.subList(0, untilThreads));
      assertThat(log.subList(0, untilThreads)).allMatch(request -> request.answer() == 0);
      assertThat(log.subList(untilThreads, log.size()))
          .extracting(Request::name)
          .containsOnly("THREAD_RUN", "EPOLL_THREAD_INIT");
      assertThat(log.get(0).name()).isEqualTo("open access=0 cloexec=1");
      assertThat(log.get(1).name()).isEqualTo("EPFDSET anon_inode:[eventpoll] events=64");
      assertThat(log.get(2).name()).isEqualTo("EXIT 1");
      assertThat(log.get(untilThreads - 1).name())
          .isEqualTo("THREAD_INIT threads=2 umask=0 full_rlimit=1");
      assertThat(engine.said()).doesNotContain("WARN threads");
    }
  }

  @Test
  void givesTheKernelEveryGroup() throws Exception {
    Files.writeString(
        whitelist, Host.everyGroup("/srv;/h\u00e4ll\u00f6") + "[Udsaccept]\nPath=/run/none\n");
    try (EngineProcess _ = start(1).ready()) {
      for (Group group : Role.SERVER.groups()) {
        assertThat(kernel.list(group)).containsExactly("/srv", "/h\u00e4ll\u00f6");
      }
    }
  }

  @Test
  void servesInThreadsOfTheirNamesAndKeepsItsTableClean() throws Exception {
    try (EngineProcess engine = start(16).ready()) {
      Await.until("all threads run", () -> kernel.log("THREAD_RUN").size() >= 32);
      assertThat(engine.comms()).contains("engine", "engine-epoll", "udsproxyd");
      for (int i = 1; i <= 16; i++) {
        assertThat(engine.comms()).contains("engine-run-" + i);
      }
      assertThat(EngineProcess.read(engine.proc("status"))).contains("Umask:\t0000");
      int before = descriptors(engine).size();
      int requests = kernel.log().size();
      Await.until("a hundred requests more", () -> kernel.log().size() > requests + 100);
      // One is the simulated kernel's, for its log and its knobs.
      assertThat(descriptors(engine).size()).isBetween(before - 18, before + 18);
      expectCloseOnExec(engine);
      expectModes();
    }
  }

  private static List<Path> descriptors(EngineProcess engine) throws IOException {
    try (Stream<Path> all = Files.list(engine.proc("fd"))) {
      return all.toList();
    }
  }

  /** What the engine has opened itself; the JVM's own files and its one socket are not meant. */
  private static void expectCloseOnExec(EngineProcess engine) throws IOException {
    List<String> ours = new ArrayList<>();
    for (Path fd : descriptors(engine)) {
      String target;
      try {
        target = Files.readSymbolicLink(fd).toString();
      } catch (IOException e) {
        continue; // closed in between
      }
      if (OURS.matcher(target).matches()) {
        ours.add(target);
        String info = EngineProcess.read(engine.proc("fdinfo/" + fd.getFileName()));
        assertThat(info).as(target).containsPattern("flags:\\s+02[0-7]{6}\n");
      }
    }
    assertThat(ours).hasSizeGreaterThanOrEqualTo(6);
  }

  /** The process's umask is 0: what it makes says itself for whom it is. */
  private void expectModes() throws IOException {
    Path run = directory.resolve("run");
    assertThat(FileStatus.ofLink(run).permissions()).isEqualTo(0700);
    try (Stream<Path> files = Files.list(run)) {
      for (Path file : files.toList()) {
        assertThat(FileStatus.ofLink(file).permissions()).as(file.toString()).isEqualTo(0600);
      }
    }
    assertThat(run.resolve("remote_uds.sock")).exists();
  }

  @Test
  void pausesAfterARequestThatWasNotServed() throws Exception {
    kernel.set("run_ms", 0);
    try (EngineProcess _ = start(1).ready()) {
      Await.until("many rounds", () -> kernel.log("THREAD_RUN").size() > 100);
    }
    List<Request> rounds = kernel.log("THREAD_RUN");
    for (int i = 1; i < rounds.size(); i++) {
      assertThat(rounds.get(i).micros() - rounds.get(i - 1).micros())
          .isGreaterThanOrEqualTo(Duration.ofMillis(1).toNanos() / 1000);
    }
  }

  @Test
  void servesEventsOnceThereIsAClient() throws Exception {
    try (EngineProcess _ = start(1).ready()) {
      Await.until("it waits", () -> !kernel.log("EPOLL_THREAD_INIT").isEmpty());
      assertThat(kernel.log("EPOLL_THREAD_RUN")).isEmpty();
      kernel.set("client", 1);
      Await.until("it serves", () -> kernel.log("EPOLL_THREAD_RUN").size() > 3);
      List<Request> inits = kernel.log("EPOLL_THREAD_INIT");
      assertThat(inits).filteredOn(request -> request.answer() == 0).hasSize(1);
    }
  }

  @Test
  void survivesInterruptedRequests() throws Exception {
    kernel.set("interrupts", 5);
    try (EngineProcess engine = start(1).ready()) {
      Await.until(
          "it goes on",
          () -> kernel.log("THREAD_RUN").stream().anyMatch(request -> request.answer() == 1));
      assertThat(kernel.log()).filteredOn(request -> request.answer() == -4).hasSize(5);
      assertThat(engine.said()).doesNotContain("Interrupted");
      engine.signal("TERM");
      assertThat(engine.exitCode()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TERM", "INT"})
  void stopsWithinASecond(String signal) throws Exception {
    try (EngineProcess engine = start(16).ready()) {
      Await.until("all threads run", () -> kernel.log("THREAD_RUN").size() >= 16);
      expectStop(engine, signal);
      List<Request> log = kernel.log();
      int exit = log.indexOf(kernel.log("EXIT 0").get(0));
      // Each thread is in a request by then, and makes no other.
      assertThat(log.size() - exit - 1).isLessThanOrEqualTo(17);
    }
    assertThat(kernel.list(Group.MOUNT)).isEmpty();
    assertThat(directory.resolve("run/remote_uds.sock")).doesNotExist();
  }

  /** A client that is silent keeps a request waiting for a second, and a dead disk for longer. */
  @ParameterizedTest
  @ValueSource(ints = {1000, 100_000})
  void stopsWithinASecondWhileRequestsWait(int millis) throws Exception {
    kernel.set("run_ms", millis);
    try (EngineProcess engine = start(16).ready()) {
      Await.until("all threads run", () -> engine.comms().contains("engine-epoll"));
      expectStop(engine, "TERM");
    }
  }

  private static void expectStop(EngineProcess engine, String signal) throws Exception {
    long start = System.nanoTime();
    engine.signal(signal);
    assertThat(engine.exitCode()).as(engine.said()).isZero();
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(1));
    assertThat(engine.said().strip()).endsWith("stopped");
  }

  @Test
  void doesNotStartWithoutAMountEntry() throws Exception {
    Files.writeString(whitelist, "[Open]\nPath=/srv\n");
    try (EngineProcess engine = start(1)) {
      expectFailure(engine, whitelist + " lets the client mount nothing");
    }
    assertThat(kernel.log("THREAD_INIT")).isEmpty();
    assertThat(kernel.log()).last().extracting(Request::name).isEqualTo("EXIT 0");
    assertThat(kernel.list(Group.OPEN)).isEmpty();
  }

  @Test
  void aGroupThatIsFullDoesNotStopTheOthers() throws Exception {
    kernel.set("room", 3);
    try (EngineProcess engine = start(1).ready()) {
      assertThat(kernel.log("WL_ADD")).hasSize(14);
      assertThat(
              engine.said().lines().filter(line -> line.contains("WARN") && line.contains("/srv")))
          .hasSize(11);
    }
  }

  @Test
  void endsWhenTheModuleIsGone() throws Exception {
    try (EngineProcess engine = start(2).ready()) {
      kernel.set("gone", 19);
      assertThat(engine.exitCode()).isEqualTo(FAILED);
      assertThat(engine.said())
          .containsOnlyOnce("the kernel module is gone: No such device; load the kernel module");
    }
  }

  @Test
  void endsWhenTheDeviceIsNoneAnyMore() throws Exception {
    try (EngineProcess engine = start(2).ready()) {
      Files.delete(directory.resolve("server"));
      assertThat(engine.exitCode()).isEqualTo(FAILED);
      assertThat(engine.said()).contains("is gone: Inappropriate ioctl for device");
    }
  }

  @Test
  void aSecondOneDoesNotDisturbTheFirst() throws Exception {
    try (EngineProcess _ = start(1).ready();
        EngineProcess second = start(1)) {
      expectFailure(second, "another engine is already running: it holds " + directory);
      assertThat(kernel.log("open")).hasSize(1);
      assertThat(kernel.list(Group.MOUNT)).containsExactly("/srv");
    }
  }

  @Test
  void aPortInUseIsToldBeforeTheKernelIsTouched() throws Exception {
    try (ServerSocket _ = new ServerSocket(port, 1, InetAddress.getLoopbackAddress());
        EngineProcess engine = start(1)) {
      expectFailure(engine, "cannot listen on 127.0.0.1:" + port + ": Address already in use");
    }
    assertThat(kernel.log()).isEmpty();
  }

  @Test
  void theModulesPortInUseIsToldAndTheKernelDisarmed() throws Exception {
    kernel.set("thread_init", 98);
    try (EngineProcess engine = start(1)) {
      expectFailure(engine, "the port of the kernel module is in use");
    }
    assertThat(kernel.log()).last().extracting(Request::name).isEqualTo("EXIT 0");
  }

  @Test
  void aModuleThatIsNotLoadedIsTold() throws Exception {
    Files.delete(directory.resolve("server"));
    try (EngineProcess engine = start(1)) {
      expectFailure(
          engine, "engine: /dev/qtfs_server is not there: load the kernel module qtfs_server");
    }
  }

  @Test
  void aWhitelistThatCannotBeUsedIsToldBeforeTheKernelIsTouched() throws Exception {
    Files.writeString(whitelist, "[Mount]\nPath=srv\n[Open]\nPath=home\n");
    try (EngineProcess engine = start(1)) {
      assertThat(engine.exitCode()).isEqualTo(FAILED);
      assertThat(engine.said().lines())
          .hasSize(2)
          .allMatch(line -> line.startsWith("engine: " + whitelist + ":"));
    }
    assertThat(kernel.log()).isEmpty();
  }
}
