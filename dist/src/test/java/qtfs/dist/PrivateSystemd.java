package qtfs.dist;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/**
 * A systemd of a host's own, the first process of a process namespace, that knows the units of one
 * directory only. Closing it ends every process that it has started.
 */
@SuppressWarnings("try") // It waits for what it ends.
final class PrivateSystemd implements AutoCloseable {
  private static final int NOT_HERE = 77;
  private static final List<String> TARGETS =
      List.of("private", "sysinit", "basic", "sockets", "shutdown", "network-online", "multi-user");

  private final Running systemd;
  private long init;

  private PrivateSystemd(Running systemd) {
    this.systemd = systemd;
  }

  /**
   * Starts it, and waits until it answers. Skips the test, aloud, where that is not possible.
   *
   * @param units the directory as the host sees it, {@code written} as this process does
   */
  static PrivateSystemd boot(TwoHosts hosts, Host host, Path units, Path written) throws Exception {
    TwoHosts.skipUnless(
        Files.isExecutable(Path.of("/lib/systemd/systemd")),
        "systemd is missing: apt-get install systemd");
    for (String target : TARGETS) {
      Files.writeString(written.resolve(target + ".target"), "[Unit]\nDefaultDependencies=no\n");
    }
    PrivateSystemd booted =
        new PrivateSystemd(
            hosts.start(host, List.of(Programs.script("private-systemd"), units.toString())));
    Process process = booted.systemd.process();
    Await.until("systemd is there, or will not be", () -> booted.findInit() || !process.isAlive());
    TwoHosts.skipUnless(
        process.isAlive() || process.exitValue() != NOT_HERE,
        "no systemd of its own can run here: " + booted.systemd.errors());
    Await.until(
        "systemd answers", () -> booted.systemctl("is-active", "private.target").code() == 0);
    return booted;
  }

  static PrivateSystemd boot(TwoHosts hosts, Host host, Path units) throws Exception {
    return boot(hosts, host, units, units);
  }

  private boolean findInit() {
    Optional<ProcessHandle> found =
        systemd
            .process()
            .descendants()
            .filter(each -> each.info().command().orElse("").endsWith("/systemd"))
            .findAny();
    found.ifPresent(each -> init = each.pid());
    return found.isPresent();
  }

  Running.Result systemctl(String... words) throws IOException, InterruptedException {
    return run(Stream.concat(Stream.of("systemctl"), Stream.of(words)).toList());
  }

  /** Runs a command beside the services. Its errors are with its output. */
  Running.Result run(List<String> command) throws IOException, InterruptedException {
    return run(command, Map.of());
  }

  Running.Result run(List<String> command, Map<String, String> environment)
      throws IOException, InterruptedException {
    List<String> inside =
        new ArrayList<>(List.of("timeout", "120", "nsenter", "-t", Long.toString(init), "-a"));
    inside.addAll(command);
    ProcessBuilder builder = new ProcessBuilder(inside).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    return new Running.Result(process.waitFor(), output, output);
  }

  @Override
  public void close() throws IOException, InterruptedException {
    systemd.signal("TERM");
    systemd.result();
  }
}
