package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import qtfs.testing.Await;
import qtfs.testing.Skip;

/**
 * Two hosts on this machine, A the client's and B the server's, with the daemons of the install
 * image on them.
 *
 * <p>A host is a network, mount and UTS namespace: /run, /etc/qtfs and /etc/rexec are its own, the
 * rest of the file system and the process table are shared. Closing ends every process on both,
 * whoever started it, and removes the namespaces; so does the end of the JVM.
 */
final class TwoHosts implements AutoCloseable {
  /** One of the two. */
  enum Host {
    A("10.77.0.1"),
    B("10.77.0.2");

    final String address;

    Host(String address) {
      this.address = address;
    }

    Host peer() {
      return this == A ? B : A;
    }
  }

  /** What host B lets through unless a test says otherwise. */
  static final List<String> PROGRAMS =
      List.of("/bin/sh", "/bin/cat", "/bin/true", "/bin/false", "/bin/sleep", "uname", "/no/such");

  private static final AtomicInteger INSTANCES = new AtomicInteger();
  private static final Path IMAGE = Path.of(property("qtfs.image")).toAbsolutePath();
  private static final Path SCRIPT = Path.of(property("qtfs.twohosts")).toAbsolutePath();
  static final String PORT = "12121";

  /** A JVM that gets little of a busy machine. */
  private static final Duration STARTED = Duration.ofMinutes(2);

  /** Whether this run of the tests is about the agent: no call may start a JVM then. */
  private static final boolean THROUGH_AGENT = Boolean.getBoolean("qtfs.agent");

  private final String name;
  private final Path directory;
  private final Map<Host, String> holders = new HashMap<>();
  private final Map<String, Running> daemons = new HashMap<>();
  private final AtomicInteger commands = new AtomicInteger();
  private final Thread atExit = new Thread(this::down);

  private TwoHosts() throws IOException {
    name = "it-" + ProcessHandle.current().pid() + "-" + INSTANCES.incrementAndGet();
    directory = Files.createTempDirectory("qtfs-it");
  }

  /** The hosts without any daemon. Skips the test, aloud, where hosts cannot be made. */
  static TwoHosts bare() throws IOException, InterruptedException {
    return bare("10.77.0");
  }

  /**
   * The same, with other addresses than those of {@link Host}, and more directories of their own.
   *
   * @param net the first three bytes of the addresses
   */
  static TwoHosts bare(String net, String... directories) throws IOException, InterruptedException {
    skipUnless(isRoot(), "making two hosts needs root: run as root");
    skipUnless(
        succeeds("unshare", "--net", "--mount", "--uts", "true"),
        "unshare(2) is not allowed here: run on a machine or in a container with CAP_SYS_ADMIN");
    skipUnless(succeeds("ip", "-V"), "ip is missing: apt-get install iproute2");
    TwoHosts hosts = new TwoHosts();
    Runtime.getRuntime().addShutdownHook(hosts.atExit);
    try {
      hosts.make(net, directories);
    } catch (Throwable failure) {
      hosts.close();
      throw failure;
    }
    return hosts;
  }

  /**
   * The hosts with udsproxyd on both and rexec_server on B, ready to serve.
   *
   * @param programs what rexec_server lets through besides {@link #PROGRAMS}
   */
  static TwoHosts up(String... programs) throws Exception {
    TwoHosts hosts = bare();
    try {
      String whitelist = lines(PROGRAMS) + lines(List.of(programs));
      hosts.write(Host.B, "/etc/rexec/whitelist", whitelist);
      for (Host host : Host.values()) {
        hosts.write(host, "/etc/qtfs/whitelist", hosts.whitelist());
      }
      hosts.startProxies();
      hosts.startRexecServer();
      if (THROUGH_AGENT) {
        hosts.startAgent();
      }
    } catch (Throwable failure) {
      hosts.close();
      throw failure;
    }
    return hosts;
  }

  private static String lines(List<String> entries) {
    return entries.stream().map(entry -> entry + "\n").collect(Collectors.joining());
  }

  /** What the peer of either host reaches: sockets in /run, files in {@link #shared}. */
  String whitelist() {
    String files = "Path=" + directory;
    return String.join(
        "\n", "[Udsaccept]", "Path=/run", "[Open]", files, "[Read]", files, "[Write]", files, "");
  }

  static void skipUnless(boolean possible, String reason) {
    Skip.unless(possible, reason);
  }

  static boolean succeeds(String... command) throws InterruptedException {
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return process.waitFor() == 0;
    } catch (IOException notThere) {
      return false;
    }
  }

  private void make(String net, String... directories) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.addAll(List.of("env", "TWOHOSTS_NET=" + net, SCRIPT.toString(), "-n", name, "up"));
    for (String each : directories) {
      command.addAll(List.of("-p", each));
    }
    Running.Result up = startHere(command).result();
    assertThat(up.code()).as("twohosts up: %s", up.stderr()).isZero();
    for (Host host : Host.values()) {
      Path state = Path.of("/tmp/twohosts-" + name, host.name());
      holders.put(host, Files.readAllLines(state).getFirst());
    }
  }

  void startProxies(String... options) throws Exception {
    startProxy(Host.A, options);
    startProxy(Host.B, options);
  }

  /** Proxies with so many event loops each, and with TLS between them or not. */
  void startProxies(int loops, boolean secured, String... more) throws Exception {
    Path tls = secured ? makeCertificates() : directory;
    for (Host host : Host.values()) {
      List<String> options = new ArrayList<>(List.of(more));
      if (secured) {
        options.add("--tls-ca=" + tls.resolve("ca.crt"));
        options.add("--tls-cert=" + tls.resolve(host.address + ".crt"));
        options.add("--tls-key=" + tls.resolve(host.address + ".key"));
      }
      startProxy(host, loops, options.toArray(String[]::new));
    }
  }

  private Path makeCertificates() throws IOException, InterruptedException {
    skipUnless(succeeds("openssl", "version"), "openssl is missing: apt-get install openssl");
    Path tls = directory.resolve("tls");
    String script = SCRIPT.resolveSibling("make-test-ca").toString();
    Running.Result made =
        startHere(List.of(script, tls.toString(), Host.A.address, Host.B.address)).result();
    assertThat(made.code()).as("make-test-ca: %s", made.stderr()).isZero();
    return tls;
  }

  Running startProxy(Host host, String... options) throws Exception {
    return startProxy(host, 1, options);
  }

  private Running startProxy(Host host, int loops, String... options) throws Exception {
    List<String> command = new ArrayList<>(List.of(program("udsproxyd")));
    command.addAll(List.of(options));
    command.addAll(List.of(Integer.toString(loops), host.address, PORT, host.peer().address, PORT));
    return startDaemon("udsproxyd on " + host, host, command);
  }

  Running startRexecServer() throws Exception {
    return startDaemon("rexec_server", Host.B, List.of(program("rexec_server")));
  }

  /** Where rexec's launcher finds it, on the client's host. */
  Running startAgent() throws Exception {
    return startDaemon("rexec_agent", Host.A, List.of(program("rexec_agent")));
  }

  /** Not ready by its socket alone: one that was killed has left that behind. */
  private Running startDaemon(String title, Host host, List<String> command) throws Exception {
    Running daemon = start(host, command);
    daemons.put(title, daemon);
    await(title + " listens", daemon, () -> daemon.errors().contains("listening"));
    return daemon;
  }

  /** Starts a program that listens, and waits until its socket is there. */
  Running startServer(Host host, List<String> command, String socket) throws Exception {
    Running server = start(host, command);
    await(socket + " is there", server, () -> Files.exists(file(host, socket)));
    return server;
  }

  private static void await(String what, Running server, Callable<Boolean> ready) throws Exception {
    Await.until(
        what,
        STARTED,
        () -> {
          assertThat(server.process().isAlive()).as("says: %s", server.errors()).isTrue();
          return ready.call();
        });
  }

  /**
   * A daemon started before: "udsproxyd on A", "udsproxyd on B", "rexec_server" or "rexec_agent".
   */
  Running daemon(String title) {
    return Objects.requireNonNull(daemons.get(title), title);
  }

  /** The path of a program of the install image. */
  String program(String program) {
    return IMAGE.resolve("bin").resolve(program).toString();
  }

  /** The preload library of the install image. Skips the test, aloud, where it was not built. */
  static String preloadLibrary() {
    Path library = IMAGE.resolve("lib/libudsproxy.so");
    skipUnless(
        Files.exists(library),
        "libudsproxy.so is not built: no C compiler; apt-get install gcc libc6-dev");
    return library.toString();
  }

  /** Skips the test, aloud, where rexec's launcher was not built. */
  static void needLauncher() throws IOException {
    byte[] start = new byte[2];
    try (InputStream in = Files.newInputStream(IMAGE.resolve("bin/rexec"))) {
      skipUnless(
          in.read(start) == 2 && start[0] != '#',
          "the launcher of rexec is not built: no C compiler; apt-get install gcc libc6-dev");
    }
  }

  /** A command that runs a main class of the tests in a JVM of its own. */
  static List<String> java(Class<?> main, String... args) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
    command.addAll(List.of(args));
    return command;
  }

  /**
   * A host's file as this process reaches it. Not for paths under /var/run: that link would be
   * followed on the machine itself.
   */
  Path file(Host host, String path) {
    return Path.of("/proc", Objects.requireNonNull(holders.get(host)), "root" + path);
  }

  /** Writes a file that only its owner may read. */
  void write(Host host, String path, String text) throws IOException {
    Path file = file(host, path);
    Files.deleteIfExists(file);
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--------"));
  }

  /** A directory that both hosts see at the same path, removed at the end. */
  Path shared() {
    return directory;
  }

  /** Runs {@code rexec} on A to its end, with an empty standard input. */
  Running.Result rexec(String... args) throws IOException, InterruptedException {
    return startRexec(args).result();
  }

  Running startRexec(String... args) throws IOException {
    return start(Host.A, concat(program("rexec"), args));
  }

  /** Runs {@code udsproxyd ctl} on a host to its end. */
  Running.Result ctl(Host host, String... words) throws IOException, InterruptedException {
    return sh(host, program("udsproxyd") + " ctl \"$@\"", words);
  }

  /** Runs a shell script on a host to its end; {@code $REXEC} is the path of rexec. */
  Running.Result sh(Host host, String script, String... args)
      throws IOException, InterruptedException {
    return startSh(host, script, args).result();
  }

  Running startSh(Host host, String script, String... args) throws IOException {
    List<String> command = new ArrayList<>(List.of("/bin/sh", "-c", script, "sh"));
    command.addAll(List.of(args));
    return start(host, command);
  }

  /** Starts a command on a host, with an empty standard input. */
  Running start(Host host, List<String> command) throws IOException {
    List<String> there =
        new ArrayList<>(List.of(SCRIPT.toString(), "-n", name, "exec", host.name()));
    there.addAll(command);
    return startHere(there);
  }

  private Running startHere(List<String> command) throws IOException {
    int number = commands.incrementAndGet();
    Path stdout = directory.resolve(number + ".out");
    Path stderr = directory.resolve(number + ".err");
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.redirectInput(new File("/dev/null"));
    builder.redirectOutput(stdout.toFile());
    builder.redirectError(stderr.toFile());
    // For an image that has no runtime of its own.
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().put("REXEC", program("rexec"));
    if (THROUGH_AGENT) {
      builder.environment().put("REXEC_AGENT", "only");
    }
    return new Running(command, builder.start(), stdout, stderr);
  }

  /** The pids of all processes on a host whose command line contains the text. */
  List<String> processes(Host host, String text) throws IOException, InterruptedException {
    return startHere(List.of(SCRIPT.toString(), "-n", name, "ps", host.name()))
        .result()
        .output()
        .lines()
        .filter(line -> line.contains(text))
        .map(line -> line.split(" ")[1])
        .toList();
  }

  private static List<String> concat(String first, String... rest) {
    return Stream.concat(Stream.of(first), Stream.of(rest)).toList();
  }

  static boolean isRoot() throws IOException {
    return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
  }

  private static String property(String key) {
    return Objects.requireNonNull(
        System.getProperty(key), key + " is not set: run the tests with ./mvnw verify");
  }

  @Override
  public void close() {
    down();
    Runtime.getRuntime().removeShutdownHook(atExit);
  }

  /** What the daemons said goes next to the image, for whoever wonders why a test failed. */
  private void keepLogs() throws IOException {
    Path logs = Files.createDirectories(IMAGE.resolveSibling("acceptance-logs").resolve(name));
    for (Map.Entry<String, Running> daemon : daemons.entrySet()) {
      Files.copy(
          daemon.getValue().stderr(),
          logs.resolve(daemon.getKey().replace(' ', '-') + ".log"),
          StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private void down() {
    try {
      Process down = new ProcessBuilder(SCRIPT.toString(), "-n", name, "down").inheritIO().start();
      if (!down.waitFor(30, TimeUnit.SECONDS)) {
        down.destroyForcibly();
        System.err.println("could not end the hosts " + name);
      }
      keepLogs();
      try (Stream<Path> files = Files.walk(directory)) {
        files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
      }
    } catch (IOException | InterruptedException e) {
      System.err.println("could not end the hosts " + name + ": " + e);
    }
  }
}
