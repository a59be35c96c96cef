package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;

/**
 * Programs that nobody here wrote, unchanged and with their usual arguments, reach unix sockets of
 * the other host through the preload library.
 */
final class PreloadIT {
  private static final String REDIS = Redis.SOCKET;
  private static final int CLIENTS = 32;

  @AutoClose private static TwoHosts hosts;

  @BeforeAll
  static void up() throws Exception {
    TwoHosts.preloadLibrary();
    hosts = TwoHosts.up();
  }

  /** Runs a shell script on A, all of it under the preload library. */
  private static Running.Result preloaded(String script, String... args) throws Exception {
    String[] arguments = new String[args.length + 1];
    arguments[0] = TwoHosts.preloadLibrary();
    System.arraycopy(args, 0, arguments, 1, args.length);
    return hosts.sh(Host.A, "export LD_PRELOAD=\"$1\"; shift; " + script, arguments);
  }

  private static void startRedis() throws Exception {
    Redis.need();
    if (Files.notExists(hosts.file(Host.B, REDIS))) {
      Redis.start(hosts);
    }
  }

  private static void startSocat(String socket, String what) throws Exception {
    TwoHosts.skipUnless(
        TwoHosts.succeeds("socat", "-V"), "socat is missing: apt-get install socat");
    hosts.startServer(
        Host.B, List.of("socat", "-t", "30", "UNIX-LISTEN:" + socket + ",fork", what), socket);
  }

  @Test
  void redisCliSetsAndGets() throws Exception {
    startRedis();
    assertThat(preloaded("exec redis-cli -s " + REDIS + " SET greeting hello").output())
        .isEqualTo("OK\n");
    assertThat(hosts.sh(Host.B, "redis-cli -s " + REDIS + " GET greeting").output())
        .isEqualTo("hello\n");
    assertThat(preloaded("cd /run && exec redis-cli -s redis.sock GET greeting").output())
        .as("by a relative path")
        .isEqualTo("hello\n");
  }

  @Test
  void redisBenchmarkConnectsWithoutBlocking() throws Exception {
    startRedis();
    Running.Result result =
        preloaded("exec redis-benchmark -s " + REDIS + " -c 50 -n 20000 -t set --csv");
    assertThat(result.stderr()).as("%s", result).isEmpty();
    assertThat(result.code()).as("%s", result).isZero();
    assertThat(result.output()).as("%s", result).contains("\"SET\"").doesNotContain("rror");
  }

  @Test
  void manyProcessesConnectAtOnce() throws Exception {
    startRedis();
    String client = "redis-cli -s " + REDIS + " INCR connected & ";
    Running.Result result = preloaded(client.repeat(CLIENTS) + "wait");
    assertThat(result.output().lines()).as("%s", result).hasSize(CLIENTS);
    assertThat(preloaded("exec redis-cli -s " + REDIS + " GET connected").output())
        .isEqualTo(CLIENTS + "\n");
  }

  @Test
  void curlGetsAPage() throws Exception {
    TwoHosts.skipUnless(
        TwoHosts.succeeds("curl", "--version"), "curl is missing: apt-get install curl");
    Path server =
        Files.writeString(
            hosts.shared().resolve("http-server"),
            """
            #!/bin/sh
            while read -r line && [ ${#line} -gt 1 ]; do :; done
            printf 'HTTP/1.0 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello'
            """);
    Files.setPosixFilePermissions(server, PosixFilePermissions.fromString("rwx------"));
    startSocat("/run/http.sock", "EXEC:" + server);
    Running.Result result =
        preloaded("exec curl -sS --unix-socket /run/http.sock http://localhost/");
    assertThat(result.output()).as("%s", result).isEqualTo("hello");
  }

  @Test
  void socatSendsAMebibyteAndItsEnd() throws Exception {
    startSocat("/run/cat.sock", "EXEC:wc -c");
    Running.Result result =
        preloaded("head -c 1048576 /dev/zero | socat -t 30 - UNIX-CONNECT:/run/cat.sock");
    assertThat(result.output()).as("%s", result).isEqualTo("1048576\n");
  }

  @Test
  void theErrorIsTheApplicationsOwn() throws Exception {
    startSocat("/etc/qtfs/private.sock", "PIPE");
    String connect = "exec socat - UNIX-CONNECT:";
    String missing = "No such file or directory";
    assertThat(preloaded(connect + "/run/none.sock").stderr())
        .as("nobody listens on either host")
        .contains(missing);
    assertThat(preloaded(connect + "/etc/qtfs/private.sock").stderr())
        .as("not in the other host's whitelist")
        .contains("Permission denied");
    Running proxy = hosts.daemon("udsproxyd on A");
    proxy.signal("TERM");
    proxy.result();
    assertThat(preloaded(connect + "/run/none.sock").stderr()).as("no udsproxyd").contains(missing);
    hosts.startProxy(Host.A);
  }
}
