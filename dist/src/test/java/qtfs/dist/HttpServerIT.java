package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/** {@code curl --unix-socket} gets from, and sends to, an nginx of the other host, byte exact. */
final class HttpServerIT {
  private static final String SOCKET = "/run/http/nginx.sock";
  private static final int LARGE = 20_000_000;
  private static final int SMALL = 500_000;
  private static final int REQUESTS = 50;

  @AutoClose private static TwoHosts hosts;

  private static String configuration() {
    return """
        user root;
        daemon off;
        master_process off;
        pid /run/http/pid;
        error_log stderr;
        events { worker_connections 256; }
        http {
          access_log off;
          client_body_temp_path /run/http/body;
          proxy_temp_path /run/http/proxy;
          fastcgi_temp_path /run/http/fastcgi;
          uwsgi_temp_path /run/http/uwsgi;
          scgi_temp_path /run/http/scgi;
          client_max_body_size 100m;
          server {
            listen unix:%s;
            root %s;
            dav_methods PUT;
          }
        }
        """
        .formatted(SOCKET, hosts.shared());
  }

  @BeforeAll
  static void up() throws Exception {
    Programs.need("nginx", "nginx-light");
    Programs.need("curl", "curl");
    hosts = TwoHosts.up();
    random("large", LARGE);
    random("small", SMALL);
    Files.createDirectory(hosts.file(Host.B, "/run/http"));
    Path file = hosts.shared().resolve("nginx.conf");
    Files.writeString(file, configuration());
    hosts.startSh(Host.B, "PATH=$PATH:/usr/sbin; exec nginx -c \"$1\"", file.toString());
    Await.until(
        "nginx answers",
        () -> hosts.sh(Host.B, "curl -sS --unix-socket \"$1\" http://b/", SOCKET).code() == 0);
  }

  private static void random(String name, int length) throws Exception {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    Files.write(hosts.shared().resolve(name), bytes);
  }

  private static void assertSame(String name, String original) throws Exception {
    Path shared = hosts.shared();
    assertThat(Files.mismatch(shared.resolve(name), shared.resolve(original)))
        .as("the first byte of %s that differs from %s", name, original)
        .isEqualTo(-1);
  }

  /** Runs curl on A in the shared directory. */
  private static void curl(Way way, String args) throws Exception {
    String script = "cd \"$2\" && exec curl -sS --fail --unix-socket \"$1\" ";
    Running.Result result =
        way.run(hosts, script + args, way.open(hosts, SOCKET), hosts.shared().toString());
    assertThat(result.code()).as("%s", result).isZero();
    assertThat(result.stderr()).as("%s", result).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void aLargeFileComes(Way way) throws Exception {
    curl(way, "-o got http://b/large");
    assertSame("got", "large");
  }

  @ParameterizedTest
  @EnumSource
  void aLargeFileGoes(Way way) throws Exception {
    curl(way, "-T large http://b/put");
    assertSame("put", "large");
  }

  @ParameterizedTest
  @EnumSource
  void fiftyComeAtOnce(Way way) throws Exception {
    String all =
        IntStream.range(0, REQUESTS)
            .mapToObj(i -> "-o many" + i + " http://b/small?" + i)
            .collect(Collectors.joining(" "));
    curl(way, "--no-progress-meter -Z --parallel-immediate --parallel-max " + REQUESTS + " " + all);
    for (int i = 0; i < REQUESTS; i++) {
      assertSame("many" + i, "small");
    }
  }
}
