package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import qtfs.dist.TwoHosts.Host;

/**
 * A descriptor of every kind reaches a program on the other host in one message, or stays behind
 * with a line; on one event loop and on several, and over TLS.
 */
final class EveryDescriptorIT {
  private static final String PATH = "/run/kinds.sock";

  @ParameterizedTest(name = "{0} loops, TLS {1}")
  @CsvSource({"1, false", "3, false", "3, true"})
  void everyKindCrossesOrIsTold(int loops, boolean secured) throws Exception {
    try (TwoHosts hosts = TwoHosts.bare()) {
      Path directory = Files.createDirectory(hosts.shared().resolve("kinds"));
      for (Host host : Host.values()) {
        hosts.write(host, "/etc/qtfs/whitelist", whitelist(directory));
      }
      hosts.startProxies(loops, secured);
      Running server = hosts.startServer(Host.B, TwoHosts.java(KindsServer.class, PATH), PATH);
      Running client =
          hosts.start(Host.A, TwoHosts.java(KindsClient.class, PATH, directory.toString()));
      Running.Result atA = client.result();
      Running.Result atB = server.result();
      assertThat(atA.stderr()).isEmpty();
      assertThat(atB.stderr()).isEmpty();
      assertThat(atB.output().lines())
          .containsExactly(
              "every kind: 10",
              "file at 5: text of the file",
              "directory: [fifo, file]",
              "memfd: the memfd",
              "deleted: text of the deleted",
              "null: ",
              "zero: [2, 0, 0]",
              "pipe: through a pipe",
              "FIFO: through a FIFO");
      assertThat(atA.output().lines())
          .containsExactly(
              "pipe: from the server", "socket: a file comes back: text of the file", "end: ");
      assertThat(
              hosts
                  .daemon("udsproxyd on A")
                  .errors()
                  .lines()
                  .filter(line -> line.contains(" AUDIT descriptor-refused ")))
          .hasSize(5)
          .anyMatch(line -> line.contains("SEQPACKET socket has no meaning"))
          .anyMatch(line -> line.contains("the terminal /dev/"))
          .anyMatch(line -> line.contains("net:["))
          .anyMatch(line -> line.contains("open for reading and writing"))
          .anyMatch(line -> line.contains("O_PATH only"));
      for (Host host : Host.values()) {
        Running daemon = hosts.daemon("udsproxyd on " + host);
        daemon.signal("TERM");
        assertThat(daemon.result().code()).isZero();
        assertThat(daemon.errors()).doesNotContain(" ERROR ");
      }
    }
  }

  private static String whitelist(Path directory) {
    StringBuilder text = new StringBuilder("[Udsaccept]\nPath=/run\n");
    for (String group : List.of("Open", "Read", "Write", "Readdir")) {
      text.append("[").append(group).append("]\nPath=").append(directory).append('\n');
    }
    return text.toString();
  }
}
