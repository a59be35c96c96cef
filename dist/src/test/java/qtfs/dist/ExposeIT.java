package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/** Programs that no preload library is in reach a Redis of the other host at an exposed socket. */
final class ExposeIT {
  private static final String REDIS = Redis.SOCKET;
  private static final String LOCAL = "/run/elsewhere.sock";

  @AutoClose private static TwoHosts hosts;

  @BeforeAll
  static void up() throws Exception {
    Redis.need();
    hosts = TwoHosts.up();
    Redis.start(hosts);
  }

  @AfterEach
  void nothingIsExposed() throws Exception {
    restart();
    assertThat(Files.exists(hosts.file(Host.A, REDIS))).isFalse();
    assertThat(Files.exists(hosts.file(Host.A, LOCAL))).isFalse();
  }

  /** A's proxy, ended and started again with these options. */
  private static void restart(String... options) throws Exception {
    Running proxy = hosts.daemon("udsproxyd on A");
    proxy.signal("TERM");
    assertThat(proxy.result().code()).isZero();
    hosts.startProxy(Host.A, options);
  }

  private static Running.Result ctl(String arguments) throws Exception {
    return hosts.ctl(Host.A, arguments.split(" "));
  }

  private static String redis(String socket, String command) throws Exception {
    return hosts.sh(Host.A, "redis-cli -s " + socket + " " + command).output();
  }

  @Test
  void servesUnmodifiedClients() throws Exception {
    restart("--expose", REDIS, "--expose=" + REDIS + "=" + LOCAL + ",mode=0660");
    assertThat(redis(REDIS, "SET greeting hello")).isEqualTo("OK\n");
    assertThat(redis(LOCAL, "GET greeting")).isEqualTo("hello\n");
    Running.Result result =
        hosts.sh(Host.A, "redis-benchmark -s " + REDIS + " -c 50 -n 20000 -t set --csv");
    assertThat(result.stderr()).as("%s", result).isEmpty();
    assertThat(result.code()).as("%s", result).isZero();
    assertThat(result.output()).as("%s", result).contains("\"SET\"").doesNotContain("rror");
  }

  @Test
  void servesOtherUsersWhereItsModeSaysSo() throws Exception {
    TwoHosts.skipUnless(
        TwoHosts.succeeds("setpriv", "--version"),
        "setpriv is missing: apt-get install util-linux");
    String asNobody = "setpriv --reuid=65534 --clear-groups redis-cli -s " + REDIS + " PING";
    assertThat(ctl("expose " + REDIS).code()).isZero();
    assertThat(hosts.sh(Host.A, asNobody).stderr()).contains("Permission denied");
    assertThat(ctl("unexpose " + REDIS).code()).isZero();
    assertThat(ctl("expose " + REDIS + ",mode=0666").code()).isZero();
    assertThat(hosts.sh(Host.A, asNobody).output()).isEqualTo("PONG\n");
  }

  @Test
  void isAddedListedAndRemovedWhileClientsAreConnected() throws Exception {
    assertThat(ctl("expose " + REDIS).output()).isEqualTo("exposed at " + REDIS + "\n");
    Running subscriber = hosts.startSh(Host.A, "exec redis-cli -s " + REDIS + " SUBSCRIBE news");
    Await.until("it listens", () -> subscriber.output().contains("subscribe"));
    assertThat(ctl("exposed").output()).contains(REDIS, "0600", "listens");
    assertThat(ctl("sessions").output()).contains("outgoing", "redis-cli[", REDIS);
    assertThat(ctl("status --json").output()).startsWith("{\"ok\":true,\"status\":{\"version\":");
    assertThat(ctl("unexpose " + REDIS).code()).isZero();
    assertThat(hosts.sh(Host.A, "redis-cli -s " + REDIS + " PING").stderr())
        .contains("No such file or directory");
    hosts.sh(Host.B, "redis-cli -s " + REDIS + " PUBLISH news 'still here'");
    Await.until("it goes on", () -> subscriber.output().contains("still here"));
    subscriber.signal("TERM");
    subscriber.result();
  }

  @Test
  void takesOverWhatAKillHasLeft() throws Exception {
    restart("--expose", REDIS);
    Running proxy = hosts.daemon("udsproxyd on A");
    proxy.signal("KILL");
    proxy.result();
    assertThat(Files.exists(hosts.file(Host.A, REDIS))).isTrue();
    assertThat(ctl("status").code()).isEqualTo(69);
    hosts.startProxy(Host.A, "--expose", REDIS);
    assertThat(redis(REDIS, "PING")).isEqualTo("PONG\n");
  }
}
