package qtfs.dist;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import qtfs.dist.Injection.Fault;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/**
 * Each system call of a session or a call fails in a daemon, the first time it is made, the second,
 * and so on while it still is: whoever uses it is served all the same or told why, nothing hangs,
 * and the next one finds a daemon that has lost nothing.
 *
 * <p>Of every kind of call the error that is likeliest; {@code -Dqtfs.faults.all=true} tries the
 * others too.
 */
final class SystemCallFaultsIT {
  /** None of the calls is made more often than this, but for a loop of retries. */
  private static final int MOST = 40;

  /** For what ends by itself, soon. */
  private static final Duration PATIENCE = Duration.ofSeconds(15);

  private static final List<String> PROXIES = List.of("udsproxyd on A", "udsproxyd on B");
  private static final String SERVER = "rexec_server";
  private static final String AGENT = "rexec_agent";

  /** Those that live as long as a call. */
  private static final Set<String> THREADS_OF_A_CALL = Set.of("session", "rexec-held");

  /** The proxies first: a passed pipe that nobody fetches is kept for a minute, see the end. */
  private static final List<String> DAEMONS =
      Stream.concat(PROXIES.stream(), Stream.of(SERVER, AGENT)).toList();

  /**
   * Calls, and what the kernel can answer. Not here: calls that fail for wrong arguments only,
   * read, of pipes and random numbers, and timerfd_settime, which do not fail, and epoll_ctl, whose
   * failure Netty neither tells nor undoes.
   */
  private static final List<List<String>> CALLS_OF_A_PROXY =
      List.of(
          List.of("accept4", "EMFILE", "ENFILE", "ENOMEM", "ECONNABORTED", "EINTR"),
          List.of("socket", "EMFILE", "ENFILE", "ENOMEM", "EACCES"),
          List.of("connect", "ECONNREFUSED", "ENOMEM", "EINTR"),
          List.of("bind", "EACCES", "EADDRINUSE", "ENOSPC"),
          List.of("recvmsg", "ENOMEM", "ECONNRESET", "EINTR"),
          List.of("recvfrom", "ECONNRESET", "EINTR"),
          List.of("sendmsg", "ENOMEM", "EINTR"),
          List.of("sendto", "ECONNRESET", "ENOMEM"),
          List.of("writev", "ENOMEM", "ECONNRESET"),
          List.of("pipe2", "EMFILE", "ENFILE"),
          List.of("openat", "EMFILE", "ENFILE", "EACCES", "ENOMEM"),
          List.of("epoll_wait", "EINTR"),
          List.of("statx", "ENOMEM", "EACCES"),
          List.of("readlink", "ENOMEM", "EACCES"),
          List.of("unlink", "EACCES"));

  /** Among them those of a program's own process until its exec, and that. */
  private static final List<List<String>> CALLS_OF_THE_SERVER =
      List.of(
          List.of("accept4", "EMFILE", "ENFILE", "ENOMEM", "ECONNABORTED", "EINTR"),
          List.of("recvmsg", "ECONNRESET", "ENOMEM", "EINTR"),
          List.of("sendmsg", "EPIPE", "ECONNRESET", "ENOMEM", "EINTR"),
          List.of("getsockopt", "ENOMEM"),
          List.of("openat", "EMFILE", "ENFILE", "ENOMEM", "EACCES", "EINTR"),
          List.of("read", "ENOMEM", "EINTR"),
          List.of("write", "ENOSPC"),
          List.of("pread64", "ENOMEM", "EINTR"),
          List.of("lseek", "EINVAL"),
          List.of("poll", "EINTR", "ENOMEM"),
          List.of("fcntl", "EMFILE"),
          List.of("dup2", "EBUSY", "EINTR"),
          List.of("close_range", "ENOMEM"),
          List.of("setpgid", "EPERM"),
          List.of("mknodat", "ENOSPC", "EACCES", "ENOMEM"),
          List.of("clone3", "EAGAIN", "ENOMEM"),
          List.of("execve", "ENOMEM", "EAGAIN", "EACCES"),
          List.of("pidfd_open", "EMFILE", "ENFILE", "ENOMEM"),
          List.of("waitid", "EINTR"),
          List.of("statx", "ENOMEM", "EACCES"),
          List.of("readlink", "ENOMEM", "EACCES"),
          List.of("unlink", "EACCES"));

  private static final List<List<String>> CALLS_OF_THE_AGENT =
      List.of(
          List.of("accept4", "EMFILE", "ENFILE", "ENOMEM", "ECONNABORTED", "EINTR"),
          List.of("recvmsg", "ECONNRESET", "ENOMEM", "EINTR"),
          List.of("sendmsg", "EPIPE", "ENOMEM", "ECONNRESET", "EAGAIN", "EINTR"),
          List.of("getsockopt", "ENOMEM"),
          List.of("socket", "EMFILE", "ENFILE", "ENOMEM", "EACCES"),
          List.of("connect", "ECONNREFUSED", "EAGAIN", "EACCES", "EINTR"),
          List.of("pipe2", "EMFILE", "ENFILE"),
          List.of("openat", "EMFILE", "ENFILE", "ENOSPC", "EACCES", "ENOMEM"),
          List.of("read", "ENOMEM", "EINTR"),
          List.of("write", "ENOSPC", "EAGAIN", "EINTR"),
          List.of("lseek", "EINVAL"),
          List.of("poll", "EINTR", "ENOMEM"),
          List.of("flock", "ENOLCK", "EINTR"),
          List.of("mkdir", "ENOSPC", "EACCES"),
          List.of("clone3", "EAGAIN"),
          List.of("statx", "ENOMEM", "EACCES"),
          List.of("readlink", "ENOMEM", "EACCES"),
          List.of("unlink", "EACCES"));

  @AutoClose private static TwoHosts hosts;
  @AutoClose private static ScriptedSession session;
  private static ScriptedCall call;
  private static final Map<String, Integer> descriptors = new HashMap<>();

  @BeforeAll
  static void up() throws Exception {
    Strace.need();
    TwoHosts.needLauncher();
    hosts = TwoHosts.up();
    hosts.startAgent();
    session = new ScriptedSession(hosts);
    call = new ScriptedCall(hosts, "REXEC_AGENT=only");
    for (String daemon : DAEMONS) {
      assertThat(script(daemon)).isEqualTo(right(daemon));
      assertThat(script(daemon)).isEqualTo(right(daemon));
    }
    awaitEndOfCalls("at the start");
    for (String daemon : DAEMONS) {
      descriptors.put(daemon, holdings(daemon).files().size());
    }
  }

  private static Holdings holdings(String daemon) {
    return new Holdings(hosts.daemon(daemon).pid());
  }

  private static String script(String daemon) throws Exception {
    return PROXIES.contains(daemon) ? session.run() : call.run();
  }

  private static String right(String daemon) {
    return PROXIES.contains(daemon) ? ScriptedSession.RIGHT : ScriptedCall.RIGHT;
  }

  static Stream<Arguments> faults() {
    return Stream.of(
            PROXIES.stream().flatMap(proxy -> faults(proxy, CALLS_OF_A_PROXY)),
            faults(SERVER, CALLS_OF_THE_SERVER),
            faults(AGENT, CALLS_OF_THE_AGENT))
        .flatMap(each -> each);
  }

  private static Stream<Arguments> faults(String daemon, List<List<String>> calls) {
    return calls.stream().flatMap(Fault::of).map(fault -> Arguments.of(daemon, fault));
  }

  @ParameterizedTest
  @MethodSource("faults")
  void isServedOrTold(String daemon, Fault fault) throws Exception {
    int n = 1;
    while (n <= MOST && strikes(daemon, fault, n)) {
      n++;
    }
  }

  /** One use with the n-th call failing; returns whether there was an n-th. */
  private static boolean strikes(String daemon, Fault fault, int n) throws Exception {
    Map<String, Integer> logged = new HashMap<>();
    PROXIES.forEach(proxy -> logged.put(proxy, hosts.daemon(proxy).errors().length()));
    String strike = n + ". " + fault + " in " + daemon;
    boolean struck;
    String outcome;
    try (Injection injection =
        Injection.into(hosts.daemon(daemon).pid(), fault, n, hosts.shared())) {
      outcome = script(daemon);
      struck = injection.hasStruck();
    } catch (AssertionError e) {
      throw new AssertionError("with the " + strike + ": " + e.getMessage(), e);
    }
    if (!outcome.equals(right(daemon))) {
      assertThat(struck).as("%s: %s, with no call failing", strike, outcome).isTrue();
    }
    if (PROXIES.contains(daemon)) {
      if (!outcome.equals(right(daemon))) {
        Await.until(
            "a log line that tells why, after the " + strike + ": " + outcome,
            () ->
                PROXIES.stream()
                    .anyMatch(proxy -> tellsWhy(proxy, requireNonNull(logged.get(proxy)))));
      }
    } else {
      if (fault.call().equals("unlink")) {
        removeWhatCouldNotBe();
      }
      awaitEndOfCalls("after the " + strike);
    }
    assertThat(script(daemon)).as("the next one after the %s", strike).isEqualTo(right(daemon));
    return struck;
  }

  /** Whether a daemon's log has said more since than that all went well. */
  private static boolean tellsWhy(String proxy, int since) {
    return hosts
        .daemon(proxy)
        .errors()
        .substring(since)
        .lines()
        .anyMatch(line -> !line.contains(" session-start ") && !line.contains("reason=closed"));
  }

  /** A pipe that a child was held at is there until the server ends, a pid file until a sweep. */
  private static void removeWhatCouldNotBe() throws Exception {
    for (Path held : held().toList()) {
      assertThat(hosts.daemon(SERVER).errors())
          .contains("cannot remove /var/run/rexec/" + held.getFileName());
      Files.delete(held);
    }
    Await.until(
        "a later call removes the pid file",
        () ->
            call.run().equals(ScriptedCall.RIGHT)
                && in(Host.A, "/run/rexec/pids").findAny().isEmpty());
  }

  private static void awaitEndOfCalls(String when) throws Exception {
    try {
      Await.until("nothing of the call is left", PATIENCE, () -> leftOfCalls().isEmpty());
    } catch (AssertionError e) {
      throw new AssertionError("left of the call, " + when + ": " + leftOfCalls(), e);
    }
  }

  /** Programs, threads and files of calls, and descriptors beyond those at the start. */
  private static List<String> leftOfCalls() throws IOException {
    List<String> left = new ArrayList<>();
    left.addAll(holdings(SERVER).ofThreads("children", Set.of()));
    left.addAll(holdings(SERVER).ofThreads("comm", THREADS_OF_A_CALL));
    Stream.concat(held(), in(Host.A, "/run/rexec/pids")).map(Path::toString).forEach(left::add);
    for (String daemon : List.of(SERVER, AGENT)) {
      List<String> files = holdings(daemon).files();
      if (files.size() > descriptors.getOrDefault(daemon, Integer.MAX_VALUE)) {
        left.addAll(files);
      }
    }
    return left;
  }

  private static Stream<Path> held() {
    return in(Host.B, "/run/rexec")
        .filter(file -> file.getFileName().toString().matches("(held|exec)\\..*"));
  }

  private static Stream<Path> in(Host host, String directory) {
    String[] names = hosts.file(host, directory).toFile().list();
    return names == null
        ? Stream.empty()
        : Stream.of(names).map(hosts.file(host, directory)::resolve);
  }

  /** A passed pipe that nobody fetches is kept for a minute, a stand-in socket for a second. */
  @AfterAll
  static void nothingIsLeft() throws Exception {
    for (String daemon : DAEMONS) {
      Await.until(
          daemon + " has let go of all but " + descriptors.get(daemon),
          Duration.ofSeconds(90),
          () -> holdings(daemon).files().size() <= requireNonNull(descriptors.get(daemon)));
    }
  }
}
