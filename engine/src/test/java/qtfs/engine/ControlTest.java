package qtfs.engine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.FileStatus;

/**
 * The proxy inside an engine is controlled as udsproxyd is, over the socket of the run directory.
 */
@Timeout(120)
final class ControlTest {
  @TempDir Path directory;

  private static String ask(Path runDirectory, String request) throws IOException {
    UnixDomainSocketAddress address = UnixDomainSocketAddress.of(runDirectory.resolve("ctl.sock"));
    try (SocketChannel channel = SocketChannel.open(address);
        BufferedReader reader = new BufferedReader(Channels.newReader(channel, UTF_8))) {
      channel.write(ByteBuffer.wrap((request + "\n").getBytes(UTF_8)));
      return String.valueOf(reader.readLine());
    }
  }

  @Test
  void exposesAndDrains() throws Exception {
    Host host = Host.in(directory);
    try (EngineProcess engine = host.start(1).ready()) {
      Path local = directory.resolve("local.sock");
      assertThat(ask(host.run(), "{\"command\":\"status\"}"))
          .startsWith("{\"ok\":true,\"status\":{")
          .contains("\"pid\":" + engine.pid() + ",");
      assertThat(ask(host.run(), "{\"command\":\"expose\",\"spec\":\"/x.sock=" + local + "\"}"))
          .startsWith("{\"ok\":true,");
      // The engine's umask is 0.
      assertThat(FileStatus.ofLink(local).permissions()).isEqualTo(0600);
      assertThat(FileStatus.ofLink(host.run().resolve("ctl.sock")).permissions()).isEqualTo(0600);
      assertThat(ask(host.run(), "{\"command\":\"drain\"}"))
          .isEqualTo("{\"ok\":true,\"sessions\":0}");
      assertThat(engine.exitCode()).isZero();
      assertThat(local).doesNotExist();
    }
  }
}
