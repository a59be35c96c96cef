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
 * order on two hosts where nothing is installed yet.
 */
final class DocumentedCommandsIT {
  private static final Path ROOT = Path.of("").toAbsolutePath().resolve("..").normalize();
  private static final Path TARBALL =
      Path.of(Objects.requireNonNull(System.getProperty("qtfs.tarball"))).toAbsolutePath();

  /** The documents name the commoner one. */
  private static final String ARCHITECTURE =
      System.getProperty("os.arch").replace("amd64", "x86_64");

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
    String ignored = TwoHosts.preloadLibrary();
    hosts = TwoHosts.bare("10.0.0", UNITS);
    tools = Files.createDirectory(hosts.shared().resolve("tools"));
    Path scp = Files.writeString(tools.resolve("scp"), SCP);
    Files.setPosixFilePermissions(scp, PosixFilePermissions.fromString("rwxr-xr-x"));
    for (Host host : Host.values()) {
      prepare(host);
      Path units = hosts.file(host, UNITS);
      systemd.put(host, PrivateSystemd.boot(hosts, host, Path.of(UNITS), units));
    }
    Redis.start(hosts);
  }

  /** The machine's /usr with a layer of the host's own above it, and the archive at hand. */
  private void prepare(Host host) throws Exception {
    Running.Result prepared =
        hosts.sh(
            host,
            """
            set -e
            mkdir /run/layer && mount -t tmpfs layer /run/layer && mkdir /run/layer/up /run/layer/work
            mount -t overlay -o lowerdir=/usr,upperdir=/run/layer/up,workdir=/run/layer/work overlay /usr
            mkdir /run/layer/home && ln -s "$1" /run/layer/home/
            """,
            TARBALL.toString());
    assertThat(prepared.code()).as("%s", prepared).isZero();
  }

  /** Lets the host's systemd see the units, which looks at no others than those here. */
  private void takeUnits(Host host) throws Exception {
    Running.Result taken =
        hosts.sh(host, "cd /usr/lib/systemd/system && cp udsproxyd* rexec_* engine.* " + UNITS);
    assertThat(taken.code()).as("%s", taken).isZero();
    Objects.requireNonNull(systemd.get(host)).systemctl("daemon-reload");
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
    String script = "cd /run/layer/home\n" + block.script().replace("x86_64", ARCHITECTURE);
    List<String> bash = List.of("bash", "-euo", "pipefail", "-c", script);
    Running.Result result = Objects.requireNonNull(systemd.get(host)).run(bash, environment);
    deliver();
    if (block.script().contains("install.sh")) {
      takeUnits(host);
    }
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
  @CsvSource({"README.md, 7, 2", "docs/quickstart.md, 15, 0"})
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
