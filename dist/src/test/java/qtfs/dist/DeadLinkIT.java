package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/**
 * A peer whose host has vanished without a word ends its sessions within the link timeout; one that
 * is there and reads nothing keeps them, however long; with TLS on the link, or without.
 */
@ParameterizedClass
@ValueSource(booleans = {false, true})
final class DeadLinkIT {
  private static final String HELLO = "/run/hello.sock";
  private static final String SINK = "/run/sink.sock";
  private static final String FLOOD = "/run/flood.sock";
  private static final long TIMEOUT_SECONDS = 5;
  private static final String SESSIONS =
      "echo '{\"command\":\"sessions\"}' | socat -t 5 - UNIX-CONNECT:/run/qtfs/ctl.sock";
  private static final Pattern ENDED =
      Pattern.compile("session-end .* path=(\\S+) .*: the peer's host has not answered for \\d+ s");
  private static final Pattern IDLE = Pattern.compile("\"idleMillis\":(\\d+)");

  @Parameter private boolean secured;
  private TwoHosts hosts;
  private Running link;

  @BeforeEach
  void up() throws Exception {
    Programs.need("socat", "socat");
    TwoHosts.skipUnless(
        Files.exists(Path.of("/dev/net/tun")), "no /dev/net/tun: load the kernel module tun");
    TwoHosts.preloadLibrary();
    hosts = TwoHosts.up();
    for (Host host : Host.values()) {
      Running proxy = hosts.daemon("udsproxyd on " + host);
      proxy.signal("TERM");
      proxy.result();
    }
    hosts.startProxies(1, secured, "--link-timeout=" + TIMEOUT_SECONDS + "s");
    link = PoorLink.between(hosts);
    serve(HELLO, "SYSTEM:echo hello; exec cat >&2");
    serve(SINK, "SYSTEM:exec cat >/dev/null");
    serve(FLOOD, "SYSTEM:exec cat /dev/zero");
  }

  @AfterEach
  void down() {
    hosts.close();
  }

  private void serve(String socket, String what) throws Exception {
    hosts.startServer(Host.B, List.of("socat", "UNIX-LISTEN:" + socket + ",fork", what), socket);
  }

  private Running start(String client) throws Exception {
    return Way.PRELOAD.start(hosts, client);
  }

  private Running startStalled() throws Exception {
    Running reader = start("exec socat -u UNIX-CONNECT:" + FLOOD + " -");
    Await.until("it reads", () -> !reader.output().isEmpty());
    reader.signal("STOP");
    return reader;
  }

  private String sessions(Host host) throws Exception {
    return hosts.sh(host, SESSIONS).output();
  }

  private long longestIdle(Host host) throws Exception {
    return IDLE.matcher(sessions(host))
        .results()
        .map((MatchResult idle) -> idle.group(1))
        .mapToLong(Long::parseLong)
        .max()
        .orElse(-1);
  }

  /** The sockets of the sessions that a host's proxy has ended because the other did not answer. */
  private List<String> ofDeadLinks(Host host) {
    return ENDED
        .matcher(hosts.daemon("udsproxyd on " + host).errors())
        .results()
        .map((MatchResult line) -> line.group(1))
        .toList();
  }

  @Test
  void aBlackHoleEndsIdleAndBusyAndStalledSessions() throws Exception {
    Running idle = start("exec socat -u UNIX-CONNECT:" + HELLO + " -");
    Await.until("the idle one works", () -> idle.output().equals("hello\n"));
    Running busy = start("exec socat -u OPEN:/dev/zero UNIX-CONNECT:" + SINK);
    Running stalled = startStalled();
    Await.until("all are there", () -> IDLE.matcher(sessions(Host.B)).results().count() == 3);
    link.signal("STOP");
    Await.until("the idle client ends", () -> !idle.process().isAlive());
    Await.until("the busy client ends", () -> !busy.process().isAlive());
    Await.until("all end on B", () -> sessions(Host.B).contains("\"sessions\":[]"));
    link.signal("CONT");
    stalled.signal("KILL");
    assertThat(ofDeadLinks(Host.A)).contains(HELLO, SINK);
    assertThat(ofDeadLinks(Host.B)).containsExactlyInAnyOrder(HELLO, SINK, FLOOD);
  }

  @Test
  void aReaderThatNeverReadsStays() throws Exception {
    Running reader = startStalled();
    Await.until(
        "it reads nothing for more than twice the time",
        () -> longestIdle(Host.B) > 2_000 * TIMEOUT_SECONDS);
    long before = Files.size(reader.stdout());
    reader.signal("CONT");
    Await.until("it gets more", () -> Files.size(reader.stdout()) > before + 1_000_000);
    reader.signal("KILL");
    reader.result();
    Await.until("its session ends", () -> sessions(Host.B).contains("\"sessions\":[]"));
  }
}
