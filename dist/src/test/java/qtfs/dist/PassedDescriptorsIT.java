package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;

/** A regular file and both ends of pipes reach a program on the other host, in both directions. */
final class PassedDescriptorsIT {
  @AutoClose private static TwoHosts hosts;

  @BeforeAll
  static void up() throws Exception {
    hosts = TwoHosts.up();
  }

  @Test
  void carriesAFileAndBothEndsOfAPipeBothWays() throws Exception {
    String path = "/run/descriptors.sock";
    Path file = Files.writeString(hosts.shared().resolve("passed"), "text of the file");
    Running server =
        hosts.startServer(Host.B, TwoHosts.java(FdServer.class, path, file.toString()), path);
    Running client = hosts.start(Host.A, TwoHosts.java(FdClient.class, path, file.toString()));
    Running.Result atA = client.result();
    Running.Result atB = server.result();
    assertThat(atB.stderr()).isEmpty();
    assertThat(atA.stderr()).isEmpty();
    String[] received = {
      "message: three of mine",
      "descriptors: 3",
      "file: text of the file",
      "pipe: read from a passed pipe"
    };
    String cameBack = "came back: written into a passed pipe";
    assertThat(atB.output().lines()).contains(received).contains(cameBack).hasSize(5);
    assertThat(atA.output().lines()).contains(received).contains(cameBack).hasSize(5);
  }
}
