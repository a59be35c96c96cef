package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.dist.TwoHosts.Host;

/**
 * Clients that connect to one path of the other host at once each get a connection of their own.
 */
final class ConcurrentConnectIT {
  private static final String PATH = "/run/echo.sock";

  @AutoClose private static TwoHosts hosts;

  @BeforeAll
  static void up() throws Exception {
    hosts = TwoHosts.up();
    hosts.startServer(Host.B, TwoHosts.java(EchoServer.class, PATH), PATH);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 32, 1000})
  void eachGetsItsOwn(int clients) throws Exception {
    Running.Result result =
        hosts
            .start(Host.A, TwoHosts.java(EchoClients.class, PATH, Integer.toString(clients)))
            .result();
    assertThat(result.output().lines())
        .containsExactlyElementsOf(
            IntStream.range(0, clients).mapToObj(i -> i + ": " + i).toList());
  }
}
