package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import qtfs.dist.TwoHosts.Host;

/**
 * The commands of the README and the quick start, read from the documents themselves, run in their
 * order on two hosts where the programs have been installed and nothing been configured.
 */
final class DocumentedCommandsIT {
  private static final Path ROOT = Path.of("").toAbsolutePath().resolve("..").normalize();
  private static final String UNITS = "/etc/systemd/system";

  /** Leaves files where {@link #deliver} finds them: the hosts here have no sshd. */
  private static final String SCP =
      """
      #!/bin/bash
      to=$OUTBOX/${!#}
      mkdir -p "$to"
      exec cp "${@:1:$#-1}" "$to"
      """;

  private final Map<Host, PrivateSystemd> systemd = new EnumMap<>(Host.class);
  private TwoHosts hosts;
  private Path tools;

  @BeforeEach
  void up() throws Exception {
    Redis.need();
    Programs.need("openssl", "openssl");
    Programs.need("curl", "curl");
    TwoHosts.preloadLibrary();
    hosts = TwoHosts.bare("10.0.0", UNITS);
    tools = Files.createDirectory(hosts.shared().resolve("tools"));
    Path scp = Files.writeString(tools.resolve("scp"), SCP);
    Files.setPosixFilePermissions(scp, PosixFilePermissions.fromString("rwxr-xr-x"));
    for (Host host : Host.values()) {
      install(host);
      Path units = hosts.file(host, UNITS);
      systemd.put(host, PrivateSystemd.boot(hosts, host, Path.of(UNITS), units));
    }
    Redis.start(hosts);
  }

  /**
   * What installing leaves: programs, library and helpers in /usr, which is the machine's with a
   * layer of the host's own above it; units; configuration as it comes.
   */
  private void install(Host host) throws Exception {
    Running.Result installed =
        hosts.sh(
            host,
            """
            set -e
            mkdir /run/layer && mount -t tmpfs layer /run/layer && mkdir /run/layer/up /run/layer/work
            mount -t overlay -o lowerdir=/usr,upperdir=/run/layer/up,workdir=/run/layer/work overlay /usr
            ln -sf "$1"/bin/* /usr/bin/
            mkdir -p /usr/lib64 /usr/share/qtfs
            cp "$1/lib/libudsproxy.so" /usr/lib64/
            cp "$1"/share/qtfs/* /usr/share/qtfs/
            cp "$1"/lib/systemd/system/* /etc/systemd/system/
            cp "$1"/etc/qtfs/* /etc/qtfs/
            cp "$1"/etc/rexec/* /etc/rexec/
            """,
            Units.image().toString());
    assertThat(installed.code()).as("%s", installed).isZero();
  }

  @AfterEach
  void down() throws Exception {
    for (PrivateSystemd each : systemd.values()) {
      each.close();
    }
    if (hosts != null) {
      hosts.close();
    }
  }

  private List<Host> places(ShellBlock block) {
    return switch (block.place()) {
      case "on 10.0.0.1" -> List.of(Host.A);
      case "on 10.0.0.2" -> List.of(Host.B);
      case "on both hosts" -> List.of(Host.A, Host.B);
      default ->
          throw new AssertionError(
              block
                  + ": the first line must be \"# on 10.0.0.1\", \"# on 10.0.0.2\", \"# on both"
                  + " hosts\" or \"# not run by the tests: why\"");
    };
  }

  private Running.Result run(ShellBlock block, Host host) throws Exception {
    Map<String, String> environment =
        Map.of("PATH", tools + ":/usr/sbin:/usr/bin:/sbin:/bin", "OUTBOX", outbox().toString());
    List<String> bash = List.of("bash", "-euo", "pipefail", "-c", block.script());
    Running.Result result = Objects.requireNonNull(systemd.get(host)).run(bash, environment);
    deliver();
    return result;
  }

  private Path outbox() {
    return hosts.shared().resolve("outbox");
  }

  private void deliver() throws IOException {
    Path directory = outbox().resolve("root@10.0.0.2:/etc/qtfs/tls");
    if (Files.exists(directory)) {
      try (Stream<Path> files = Files.list(directory)) {
        for (Path each : files.toList()) {
          Path there = hosts.file(Host.B, "/etc/qtfs/tls").resolve(each.getFileName());
          Files.copy(each, there, StandardCopyOption.COPY_ATTRIBUTES);
          Files.delete(each);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"README.md, 6, 3", "docs/quickstart.md, 14, 1"})
  void runsAsWritten(String document, int run, int notRun) throws Exception {
    List<ShellBlock> blocks = ShellBlock.of(ROOT.resolve(document));
    assertThat(blocks.stream().filter(block -> !block.isRun())).hasSize(notRun);
    assertThat(blocks.stream().filter(ShellBlock::isRun)).hasSize(run);
    StringBuilder output = new StringBuilder();
    for (ShellBlock block : blocks.stream().filter(ShellBlock::isRun).toList()) {
      for (Host host : places(block)) {
        Running.Result result = run(block, host);
        assertThat(result.code()).as("%s on %s: %s", block, host, result).isZero();
        output.append(result.output());
      }
    }
    assertThat(output).contains("hostB\n", "hello\n");
  }
}
