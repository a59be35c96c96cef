package qtfs.dist;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import qtfs.dist.Injection.Fault;

/**
 * Each system call of a session fails in udsproxyd, the first time it is made, the second, and so
 * on while the session still makes it: the application is served all the same or told, the log says
 * why, nothing hangs, and the next session finds a daemon that has lost nothing.
 *
 * <p>Of every call the error that is likeliest; {@code -Dqtfs.faults.all=true} tries the others
 * too.
 */
final class SystemCallFaultsIT {
  /** A session makes none of the calls more often than this, but for a loop of retries. */
  private static final int MOST = 25;

  private static final List<String> PROXIES = List.of("udsproxyd on A", "udsproxyd on B");

  /**
   * Calls, and what the kernel can answer. Not here: calls that fail for wrong arguments only,
   * read, of pipes and random numbers, which does not fail, and epoll_ctl, whose failure Netty
   * neither tells nor undoes.
   */
  private static final List<List<String>> CALLS =
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
          List.of("epoll_pwait2", "EINTR"),
          List.of("statx", "ENOMEM", "EACCES"),
          List.of("readlink", "ENOMEM", "EACCES"),
          List.of("unlink", "EACCES"));

  @AutoClose private static TwoHosts hosts;
  @AutoClose private static ScriptedSession session;
  private static final Map<String, Integer> descriptors = new HashMap<>();

  @BeforeAll
  static void up() throws Exception {
    Injection.need();
    hosts = TwoHosts.up();
    session = new ScriptedSession(hosts);
    assertThat(session.run()).isEqualTo(ScriptedSession.RIGHT);
    assertThat(session.run()).isEqualTo(ScriptedSession.RIGHT);
    for (String proxy : PROXIES) {
      descriptors.put(proxy, openFiles(hosts.daemon(proxy)).size());
    }
  }

  static Stream<Arguments> faults() {
    int errors = Boolean.getBoolean("qtfs.faults.all") ? Integer.MAX_VALUE : 1;
    return PROXIES.stream()
        .flatMap(proxy -> CALLS.stream().flatMap(call -> faults(proxy, call, errors)));
  }

  private static Stream<Arguments> faults(String proxy, List<String> call, int errors) {
    return call.stream()
        .skip(1)
        .limit(errors)
        .map(errno -> Arguments.of(proxy, new Fault(call.getFirst(), errno)));
  }

  @ParameterizedTest
  @MethodSource("faults")
  void isServedOrTold(String proxy, Fault fault) throws Exception {
    int n = 1;
    while (n <= MOST && strikes(hosts.daemon(proxy), fault, n)) {
      n++;
    }
  }

  /** One session with the n-th call failing; returns whether there was an n-th. */
  private static boolean strikes(Running daemon, Fault fault, int n) throws Exception {
    Map<String, Integer> logged = new HashMap<>();
    PROXIES.forEach(proxy -> logged.put(proxy, hosts.daemon(proxy).errors().length()));
    boolean struck;
    String outcome;
    try (Injection injection = Injection.into(daemon.pid(), fault, n, hosts.shared())) {
      outcome = session.run();
      struck = injection.hasStruck();
    }
    String strike = n + ". " + fault;
    if (!outcome.equals(ScriptedSession.RIGHT)) {
      assertThat(struck).as("%s: %s, with no call failing", strike, outcome).isTrue();
      Await.until(
          "a log line that tells why, after the " + strike + ": " + outcome,
          () ->
              PROXIES.stream()
                  .anyMatch(proxy -> tellsWhy(proxy, requireNonNull(logged.get(proxy)))));
    }
    assertThat(session.run())
        .as("the next session after the %s", strike)
        .isEqualTo(ScriptedSession.RIGHT);
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

  /** A passed pipe that nobody fetches is kept for a minute, a stand-in socket for a second. */
  @AfterAll
  static void nothingIsLeft() throws Exception {
    for (Map.Entry<String, Integer> before : descriptors.entrySet()) {
      Running daemon = hosts.daemon(before.getKey());
      Await.until(
          before.getKey()
              + " has let go of all but "
              + before.getValue()
              + ": "
              + openFiles(daemon),
          Duration.ofSeconds(90),
          () -> openFiles(daemon).size() <= before.getValue());
    }
  }

  private static List<String> openFiles(Running daemon) throws IOException {
    List<String> open = new ArrayList<>();
    try (DirectoryStream<Path> fds =
        Files.newDirectoryStream(Path.of("/proc", Long.toString(daemon.pid()), "fd"))) {
      for (Path fd : fds) {
        open.add(fd.getFileName() + " " + target(fd));
      }
    }
    return open;
  }

  private static String target(Path fd) {
    try {
      return Files.readSymbolicLink(fd).toString();
    } catch (IOException closed) {
      return "closed";
    }
  }
}
