package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;

/** Unmodified clients work against a Redis whose unix socket is on the other host. */
final class RedisIT {
  private static final String PATH = Redis.SOCKET;
  private static final int CONNECTIONS = 50;

  @AutoClose private static TwoHosts hosts;

  @BeforeAll
  static void up() throws Exception {
    Redis.need();
    hosts = TwoHosts.up();
    Redis.start(hosts);
  }

  /** Runs a client on A, with so many connections waiting for it. */
  private static Running.Result client(int connections, String command) throws Exception {
    List<String> announce = TwoHosts.java(Announce.class, PATH, Integer.toString(connections));
    return hosts.sh(
        Host.A,
        "\"$@\" && exec " + command.formatted(PATH + ".proxy"),
        announce.toArray(String[]::new));
  }

  @Test
  void setsAndGets() throws Exception {
    assertThat(client(1, "redis-cli -s %s SET greeting hello").output()).isEqualTo("OK\n");
    assertThat(client(1, "redis-cli -s %s GET greeting").output()).isEqualTo("hello\n");
    assertThat(hosts.sh(Host.B, "redis-cli -s " + PATH + " GET greeting").output())
        .isEqualTo("hello\n");
  }

  @Test
  void answersABenchmarkWithFiftyConnections() throws Exception {
    // One connection more asks for the server's configuration first.
    Running.Result result =
        client(
            CONNECTIONS + 1, "redis-benchmark -s %s -c " + CONNECTIONS + " -n 20000 -t set --csv");
    assertThat(result.stderr()).as("%s", result).isEmpty();
    assertThat(result.code()).as("%s", result).isZero();
    assertThat(result.output()).as("%s", result).contains("\"SET\"").doesNotContain("rror");
  }
}
