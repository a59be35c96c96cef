package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import qtfs.dist.Injection.Fault;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/**
 * Each system call of rexec fails in turn: of the launcher, whose agent makes the call, and of the
 * JVM that makes it without one. The call is right or its end is told, and nothing of it is left.
 */
final class ClientFaultsIT {
  private static final int MOST = 40;

  private static final List<List<String>> CALLS_OF_THE_LAUNCHER =
      List.of(
          List.of("socket", "EMFILE", "ENFILE", "EACCES"),
          List.of("connect", "ECONNREFUSED", "EAGAIN", "EACCES", "EINTR"),
          List.of("getsockopt", "ENOMEM"),
          List.of("openat", "EMFILE", "ENFILE", "EACCES", "ENOMEM"),
          List.of("getdents64", "ENOMEM"),
          List.of("newfstatat", "EACCES", "ENOMEM"),
          List.of("signalfd4", "EMFILE", "ENOMEM"),
          List.of("sendmsg", "EPIPE", "EAGAIN", "ENOMEM", "EINTR"),
          List.of("sendto", "EPIPE", "ENOMEM"),
          List.of("recvfrom", "ECONNRESET", "EAGAIN", "EINTR"),
          List.of("poll", "EINTR", "ENOMEM"));

  /** The first ones of every list of a JVM's own take part in the short version. */
  private static final List<List<String>> CALLS_OF_THE_JVM =
      List.of(
          List.of("pipe2", "EMFILE", "ENFILE"),
          List.of("recvmsg", "ECONNRESET", "ENOMEM", "EINTR"),
          List.of("sendmsg", "EPIPE", "ENOMEM", "EINTR"),
          List.of("clone3", "EAGAIN"),
          List.of("flock", "ENOLCK"),
          List.of("socket", "EMFILE", "ENFILE"),
          List.of("connect", "ECONNREFUSED", "EAGAIN"),
          List.of("poll", "EINTR", "ENOMEM"),
          List.of("openat", "EMFILE", "ENFILE", "EACCES", "ENOMEM"),
          List.of("mkdir", "ENOSPC", "EACCES"),
          List.of("signalfd4", "EMFILE"));

  private static final int SHORT = 2;

  @AutoClose private static TwoHosts hosts;

  @BeforeAll
  static void up() throws Exception {
    Strace.need();
    TwoHosts.needLauncher();
    hosts = TwoHosts.up();
    hosts.startAgent();
  }

  @TestFactory
  Stream<DynamicTest> theLauncher() {
    return CALLS_OF_THE_LAUNCHER.stream()
        .flatMap(Fault::of)
        .map(fault -> DynamicTest.dynamicTest(fault.toString(), () -> strikeLauncher(fault)));
  }

  private static void strikeLauncher(Fault fault) throws Exception {
    boolean struck = true;
    for (int n = 1; struck && n <= MOST; n++) {
      struck = strikes("REXEC_AGENT=only", fault, n);
    }
  }

  @TestFactory
  Stream<DynamicTest> theJvm() throws Exception {
    Map<String, Set<Integer>> own = callsOfTheJvm();
    return CALLS_OF_THE_JVM.stream()
        .limit(Fault.all() ? Integer.MAX_VALUE : SHORT)
        .flatMap(Fault::of)
        .map(
            fault ->
                DynamicTest.dynamicTest(
                    fault.toString(),
                    () -> strikeJvm(fault, own.getOrDefault(fault.call(), Set.of()))));
  }

  private static Map<String, Set<Integer>> callsOfTheJvm() throws Exception {
    Set<String> calls = new TreeSet<>();
    CALLS_OF_THE_JVM.forEach(call -> calls.add(call.getFirst()));
    calls.add("openat");
    Path trace = Files.createTempFile(hosts.shared(), "trace", ".out");
    String strace = "strace " + String.join(" ", StartTrace.options(calls)) + " -o " + trace;
    assertThat(new ScriptedCall(hosts, "REXEC_AGENT=no " + strace).run())
        .isEqualTo(ScriptedCall.RIGHT);
    return StartTrace.own(trace, "\"/proc/self/fd\"");
  }

  private static void strikeJvm(Fault fault, Set<Integer> numbers) throws Exception {
    assertThat(numbers).as("%s, which it does not make", fault.call()).isNotEmpty();
    for (int n : numbers) {
      boolean ignored = strikes("REXEC_AGENT=no", fault, n);
    }
  }

  /** One call with the n-th of one kind failing; returns whether there was an n-th. */
  private static boolean strikes(String way, Fault fault, int n) throws Exception {
    Path trace = Files.createTempFile(hosts.shared(), "trace", ".out");
    String strace = "strace " + String.join(" ", fault.options(n)) + " -o " + trace;
    String outcome;
    try {
      outcome = new ScriptedCall(hosts, way + " " + strace).run();
    } catch (AssertionError e) {
      throw new AssertionError("with the " + n + ". " + fault + ": " + e.getMessage(), e);
    }
    boolean struck = Injection.hasStruck(Strace.text(trace));
    assertThat(struck || outcome.equals(ScriptedCall.RIGHT))
        .as("%s, with no %d. %s failing", outcome, n, fault)
        .isTrue();
    return struck;
  }

  /** What a client leaves would be found by the server, or by the next one. */
  @AfterEach
  void nothingIsLeft() throws Exception {
    assertThat(new ScriptedCall(hosts, "REXEC_AGENT=only").run()).isEqualTo(ScriptedCall.RIGHT);
    Holdings server = new Holdings(hosts.daemon("rexec_server").pid());
    Await.until(
        "no program and no session is left",
        () ->
            server.ofThreads("children", Set.of()).isEmpty()
                && server.ofThreads("comm", Set.of("session", "rexec-held")).isEmpty());
    assertThat(hosts.file(Host.A, "/run/rexec/pids").toFile().list()).isEmpty();
  }
}
