package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/**
 * While everything goes wrong that can, whatever arrives is right, whoever loses something is told,
 * nothing hangs; and when it is over everything is served and everything is as it was.
 *
 * <p>{@code -Dqtfs.chaos.seconds=600} for longer, {@code -Dqtfs.chaos.seed=N} for what a run did
 * that has said so; how it mixes with the load is the machine's.
 */
final class ChaosIT {
  private static final int SECONDS = Integer.getInteger("qtfs.chaos.seconds", 40);
  private static final long SEED =
      Objects.requireNonNullElseGet(
          Long.getLong("qtfs.chaos.seed"), () -> System.nanoTime() % 1_000_000);

  private static final List<String> DAEMONS =
      List.of("udsproxyd on A", "udsproxyd on B", "rexec_server", "rexec_agent");

  /** Programs that outlived the server which would have ended them take as long. */
  private static final Duration SETTLED = Duration.ofSeconds(90);

  private static final int TIMES_IN_THE_END = 3;
  private static final Pattern PIPES_WAITING =
      Pattern.compile("^qtfs_proxy_pipes_waiting (\\d+)", Pattern.MULTILINE);

  private final Random random = new Random(SEED);
  private final Map<String, Integer> descriptors = new HashMap<>();
  private final Map<String, Integer> threads = new HashMap<>();
  private final Map<Host, List<String>> files = new HashMap<>();
  private TwoHosts hosts;
  private ChaosFaults faults;
  private ChaosLoad load;

  @BeforeEach
  void up() throws Exception {
    Programs.need("socat", "socat");
    TwoHosts.skipUnless(
        Files.exists(Path.of("/dev/net/tun")), "no /dev/net/tun: load the kernel module tun");
    hosts = TwoHosts.bare();
    hosts.write(Host.B, "/etc/rexec/whitelist", "/bin/sh\n");
    for (Host host : Host.values()) {
      hosts.write(host, "/etc/qtfs/whitelist", hosts.whitelist());
    }
    faults = new ChaosFaults(hosts, random);
    faults.prepare();
    load = new ChaosLoad(hosts);
    System.out.println("ChaosIT: -Dqtfs.chaos.seed=" + SEED);
  }

  @AfterEach
  void down() {
    if (load != null) {
      load.close();
    }
    hosts.close();
  }

  @Test
  void everyByteIsRightAndNothingIsLeft() throws Exception {
    try {
      serveEverything(TIMES_IN_THE_END);
      remember();
      load.start(ChaosLoad.Kind.BULK, 2, random);
      load.start(ChaosLoad.Kind.PING, 2, random);
      load.start(ChaosLoad.Kind.DESCRIPTORS, 1, random);
      load.start(ChaosLoad.Kind.COMMAND, 2, random);
      load.start(ChaosLoad.Kind.KILLED_COMMAND, 1, random);
      faults.rage(SECONDS);
      load.finish();
      faults.note("the load has ended: " + load.counts());
      assertThat(load.violations()).isEmpty();
      for (ChaosLoad.Kind kind : ChaosLoad.Kind.values()) {
        assertThat(load.right(kind)).as("%s: %s", kind, load.counts()).isPositive();
      }
      serveEverything(TIMES_IN_THE_END);
      assertThat(load.violations()).isEmpty();
      assertNothingIsLeft();
      faults.note("nothing is left");
      System.out.println("ChaosIT: " + load.counts() + "; " + faults.last());
    } catch (Throwable failure) {
      faults.note("failed: " + failure);
      load.violations().forEach(faults::note);
      Path logs = Path.of(System.getProperty("qtfs.image")).resolveSibling("acceptance-logs");
      faults.keep(logs.resolve("chaos-" + SEED));
      throw new AssertionError(
          "seed " + SEED + ", " + logs.resolve("chaos-" + SEED) + ": " + failure.getMessage(),
          failure);
    }
  }

  /** The first of each kind may meet what the end of the last fault has left. */
  private void serveEverything(int times) throws Exception {
    for (ChaosLoad.Kind kind : ChaosLoad.Kind.values()) {
      Await.until(kind + " is served", () -> load.once(kind, random));
      for (int i = 0; i < times; i++) {
        assertThat(load.once(kind, random)).as("%s is served again", kind).isTrue();
      }
    }
  }

  private void remember() throws Exception {
    awaitNoSession();
    for (String daemon : DAEMONS) {
      Await.until("no pipe waits", SETTLED, () -> pipesWaiting(daemon) == 0);
      descriptors.put(daemon, openFiles(daemon).size());
      threads.put(daemon, threads(daemon).size());
    }
    for (Host host : Host.values()) {
      Await.until("no stand-in is left", () -> standIns(host).isEmpty());
      files.put(host, files(host));
    }
  }

  private void assertNothingIsLeft() throws Exception {
    awaitNoSession();
    Await.until("no program is left", SETTLED, () -> programs().isEmpty());
    for (String daemon : DAEMONS) {
      int most = Objects.requireNonNull(descriptors.get(daemon));
      Await.until(
          daemon
              + " has only "
              + most
              + " descriptors and those of pipes that wait: "
              + openFiles(daemon),
          SETTLED,
          () -> openFiles(daemon).size() <= most + pipesWaiting(daemon));
      int mostThreads = Objects.requireNonNull(threads.get(daemon));
      Await.until(
          daemon + " has only " + mostThreads + " threads: " + threads(daemon),
          SETTLED,
          () -> threads(daemon).size() <= mostThreads);
    }
    for (Host host : Host.values()) {
      Await.until(
          "on " + host + " only the files " + files.get(host) + ": " + files(host),
          // The pid file of a client that was killed is for the next one to remove.
          () ->
              load.once(ChaosLoad.Kind.COMMAND, random)
                  && Objects.requireNonNull(files.get(host)).containsAll(files(host)));
    }
  }

  private void awaitNoSession() throws Exception {
    for (Host host : Host.values()) {
      Await.until(
          "no session is left on " + host,
          SETTLED,
          () -> hosts.ctl(host, "sessions", "--json").output().contains("\"sessions\":[]"));
    }
  }

  /** By what they were called with. */
  private List<String> programs() throws Exception {
    return Stream.of("sleep 25", "line $i")
        .flatMap(
            text -> {
              try {
                return Stream.concat(
                    hosts.processes(Host.A, text).stream(), hosts.processes(Host.B, text).stream());
              } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
              }
            })
        .toList();
  }

  private List<String> openFiles(String daemon) throws IOException {
    return list(daemon, "fd");
  }

  /** Without those of the JVM that come and go with the code to be compiled. */
  private List<String> threads(String daemon) throws IOException {
    return list(daemon, "task").stream()
        .map(task -> comm(daemon, task))
        .filter(comm -> !comm.isEmpty() && !comm.contains("CompilerThre"))
        .toList();
  }

  private String comm(String daemon, String task) {
    try {
      long pid = hosts.daemon(daemon).pid();
      return Files.readString(Path.of("/proc", Long.toString(pid), "task", task, "comm")).strip();
    } catch (IOException ended) {
      return "";
    }
  }

  private List<String> list(String daemon, String what) throws IOException {
    Path directory = Path.of("/proc", Long.toString(hosts.daemon(daemon).pid()), what);
    try (Stream<Path> all = Files.list(directory)) {
      return all.map(each -> each.getFileName().toString()).toList();
    }
  }

  private List<String> files(Host host) throws IOException {
    Path run = hosts.file(host, "/run");
    try (Stream<Path> all = Files.walk(run)) {
      return List.copyOf(
          new TreeSet<>(
              all.filter(file -> !Files.isDirectory(file))
                  .map(file -> run.relativize(file).toString())
                  .toList()));
    }
  }

  private List<String> standIns(Host host) throws IOException {
    return files(host).stream().filter(file -> file.endsWith(".proxy")).toList();
  }

  private int pipesWaiting(String daemon) throws IOException {
    if (!daemon.startsWith("udsproxyd")) {
      return 0;
    }
    Host host = Host.valueOf(daemon.substring(daemon.length() - 1));
    Path socket = hosts.file(host, "/run/qtfs/metrics.sock");
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      channel.write(StandardCharsets.US_ASCII.encode("GET /metrics HTTP/1.0\r\n\r\n"));
      StringBuilder page = new StringBuilder();
      ByteBuffer buffer = ByteBuffer.allocate(65536);
      while (channel.read(buffer.clear()) >= 0) {
        page.append(StandardCharsets.US_ASCII.decode(buffer.flip()));
      }
      Matcher waiting = PIPES_WAITING.matcher(page);
      assertThat(waiting.find()).as("%s", page).isTrue();
      return (int) Double.parseDouble(waiting.group(1));
    }
  }
}
