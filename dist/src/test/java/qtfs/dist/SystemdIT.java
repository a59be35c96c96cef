package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/**
 * A systemd of host B's own starts the daemons by their units, confined as these say, and the main
 * job runs through them. The tests are steps in the life of one host.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class SystemdIT {
  private static TwoHosts hosts;
  private static @Nullable PrivateSystemd systemd;

  @BeforeAll
  static void up() throws Exception {
    hosts = TwoHosts.bare();
    Path units = Files.createDirectories(hosts.shared().resolve("units"));
    Units.copyTo(units);
    Files.createDirectories(units.resolve("service.d"));
    Files.writeString(
        units.resolve("service.d/log.conf"),
        "[Service]\nStandardError=append:%s/%%n.log\n".formatted(hosts.shared()));
    configure();
    hosts.startProxy(Host.A);
    systemd = PrivateSystemd.boot(hosts, Host.B, units);
  }

  private static void configure() throws Exception {
    hosts.write(Host.B, "/etc/rexec/whitelist", "/bin/cat\n/bin/sleep\n");
    Path image = Units.image();
    for (String name : List.of("qtfs/whitelist", "rexec/rexec_server.conf")) {
      hosts.write(Host.B, "/etc/" + name, Files.readString(image.resolve("etc/" + name)));
    }
    String env = Files.readString(image.resolve("etc/qtfs/udsproxyd.env"));
    hosts.write(
        Host.B,
        "/etc/qtfs/udsproxyd.env",
        env.replace("#UDSPROXYD_LINK=\"1 10.0.0.1 12121 10.0.0.2 12121\"", link("12121")));
    hosts.write(
        Host.B,
        "/etc/qtfs/udsproxyd-dpu1.env",
        link("12122") + "\nUDSPROXYD_OPTIONS=\"--expose /run/x=/run/x-of-dpu1\"\n");
  }

  private static String link(String port) {
    return "UDSPROXYD_LINK=\"1 %s %s %s 12121\"".formatted(Host.B.address, port, Host.A.address);
  }

  @AfterAll
  static void down() throws Exception {
    try {
      if (systemd != null) {
        systemd.close();
      }
    } finally {
      if (hosts != null) {
        hosts.close();
      }
    }
  }

  private static Running.Result systemctl(String... words) throws Exception {
    return Objects.requireNonNull(systemd).systemctl(words);
  }

  private static void must(String... words) throws Exception {
    Running.Result result = systemctl(words);
    assertThat(result.code()).as("%s: %s%s", List.of(words), result, logs()).isZero();
  }

  private static String logs() throws Exception {
    StringBuilder all = new StringBuilder();
    for (String name : Units.names()) {
      Path log = hosts.shared().resolve(name.replace("@", "@dpu1") + ".log");
      all.append(Files.exists(log) ? "\n" + log + "\n" + Files.readString(log) : "");
    }
    return all + "\n" + systemctl("status", "*", "--no-pager", "--full").output();
  }

  private static String property(String unit, String name) throws Exception {
    return systemctl("show", "--value", "-p", name, unit).output().strip();
  }

  @Test
  @Order(1)
  void theMainJobRunsThroughTheUnits() throws Exception {
    must("start", "udsproxyd.service", "rexec_server.service");
    theMainJobRuns();
    assertThat(property("udsproxyd.service", "StatusText")).contains("listening");
  }

  /** In the server's control group, where its unit has put it. */
  private static void theMainJobRuns() throws Exception {
    Running.Result result = hosts.rexec("/bin/cat", "/proc/self/cgroup");
    assertThat(result.output()).as("%s%s", result, logs()).contains("/rexec_server.service");
  }

  @Test
  @Order(2)
  void aReloadKeepsTheProcess() throws Exception {
    for (String unit : List.of("udsproxyd.service", "rexec_server.service")) {
      String pid = property(unit, "MainPID");
      must("reload", unit);
      must("is-active", unit);
      assertThat(property(unit, "MainPID")).isEqualTo(pid).isNotEqualTo("0");
    }
  }

  @Test
  @Order(3)
  void programsOutliveTheServer() throws Exception {
    Running rexec = hosts.startRexec("/bin/sleep", "4242");
    Await.until("it runs", () -> ps().contains("/bin/sleep"));
    must("restart", "rexec_server.service");
    assertThat(ps()).contains("/bin/sleep");
    assertThat(rexec.result().code()).isEqualTo(125);
    String pid = ps().lines().filter(l -> l.contains("/bin/sleep")).findFirst().orElseThrow();
    assertThat(ctl("kill " + pid.strip().split(" +")[0]).code()).isZero();
    Await.until("it is gone", () -> !ps().contains("/bin/sleep"));
  }

  private static String ps() throws Exception {
    return ctl("ps").output();
  }

  private static Running.Result ctl(String words) throws Exception {
    List<String> command = new ArrayList<>(List.of(hosts.program("rexec_server"), "ctl"));
    command.addAll(List.of(words.split(" ")));
    return Objects.requireNonNull(systemd).run(command);
  }

  @Test
  @Order(4)
  void aCallStartsTheServer() throws Exception {
    must("stop", "rexec_server.service");
    must("start", "rexec_server.socket");
    assertThat(systemctl("is-active", "rexec_server.service").output()).isEqualTo("inactive\n");
    theMainJobRuns();
    must("is-active", "rexec_server.service");
  }

  /** As a service it has to be in its callers' namespaces, and free to reach both sockets. */
  @Test
  @Order(5)
  void theAgentMakesCalls() throws Exception {
    TwoHosts.needLauncher();
    must("start", "rexec_agent.service");
    List<String> call =
        List.of("env", "REXEC_AGENT=only", hosts.program("rexec"), "/bin/cat", "/proc/self/cgroup");
    Running.Result result = Objects.requireNonNull(systemd).run(call);
    assertThat(result.output()).as("%s%s", result, logs()).contains("/rexec_server.service");
    must("stop", "rexec_agent.service");
  }

  @Test
  @Order(6)
  void aPeerStartsTheProxy() throws Exception {
    must("stop", "udsproxyd.service");
    String link = "udsproxyd-link@%s:12121.socket".formatted(Host.B.address);
    must("start", "udsproxyd.socket", link);
    assertThat(systemctl("is-active", "udsproxyd.service").output()).isEqualTo("inactive\n");
    theMainJobRuns();
    must("is-active", "udsproxyd.service");
    assertThat(Files.exists(hosts.file(Host.B, "/run/qtfs/remote_uds.sock"))).isTrue();
  }

  @Test
  @Order(7)
  void aSecondPeerHasAnInstance() throws Exception {
    must("start", "udsproxyd@dpu1.service");
    Running.Result status =
        hosts.sh(Host.B, hosts.program("udsproxyd") + " ctl exposed --run-dir /run/qtfs-dpu1");
    assertThat(status.output()).as("%s", status).contains("/run/x-of-dpu1");
    must("stop", "udsproxyd@dpu1.service");
  }

  @Test
  @Order(8)
  void aMissingAddressIsALine() throws Exception {
    hosts.write(Host.B, "/etc/qtfs/udsproxyd-dpu2.env", "UDSPROXYD_OPTIONS=\n");
    assertThat(systemctl("start", "udsproxyd@dpu2.service").code()).isNotZero();
    must("stop", "udsproxyd@dpu2.service");
    assertThat(Files.readString(hosts.shared().resolve("udsproxyd@dpu2.service.log")))
        .contains("<threads>");
  }

  /** In front of a kernel module that is played, as the build's machine has none. */
  @Test
  @Order(9)
  void theEngineTakesTheProxysPlace() throws Exception {
    Path module = playTheKernelModule();
    must("stop", "udsproxyd.socket", "udsproxyd-link@*.socket");
    must("start", "udsproxyd.service");
    must("start", "engine.service");
    assertThat(systemctl("is-active", "udsproxyd.service").output()).isEqualTo("inactive\n");
    assertThat(property("engine.service", "StatusText")).isNotEmpty();
    theMainJobRuns();
    String pid = property("engine.service", "MainPID");
    must("reload", "engine.service");
    must("is-active", "engine.service");
    assertThat(property("engine.service", "MainPID")).isEqualTo(pid).isNotEqualTo("0");
    must("stop", "engine.service");
    assertThat(property("engine.service", "Result")).as(logs()).isEqualTo("success");
    assertThat(module.resolve("server.log"))
        .content()
        .contains(" THREAD_INIT ", " THREAD_RUN ", " EXIT ");
  }

  /** With the library that the engine's own tests play it by. Returns where it keeps its state. */
  private static Path playTheKernelModule() throws Exception {
    Programs.need("cc", "gcc libc6-dev");
    Path module = Files.createDirectories(hosts.shared().resolve("module"));
    Command.succeed(
        """
        for source in "$2/engine/src/test/c/simserver.c" "$2/qtcfg/src/test/c/simkernel.c"; do
          library=${source##*/}
          cc -O1 -shared -fPIC -o "$1/${library%.c}.so" "$source" -ldl
        done
        : >"$1/server"
        """,
        module, Path.of("..").toAbsolutePath().normalize());
    Path dropIn = Files.createDirectories(hosts.shared().resolve("units/engine.service.d"));
    Files.writeString(
        dropIn.resolve("module.conf"),
        """
        [Service]
        Environment=LD_PRELOAD=%1$s/simserver.so:%1$s/simkernel.so SIMKERNEL_DIR=%1$s
        """
            .formatted(module));
    String env = Files.readString(Units.image().resolve("etc/qtfs/engine.env"));
    hosts.write(
        Host.B,
        "/etc/qtfs/engine.env",
        env.replaceFirst("#ENGINE_LINK=.*", link("12121").replace("UDSPROXYD", "ENGINE")));
    String whitelist = Files.readString(Units.image().resolve("etc/qtfs/whitelist"));
    hosts.write(Host.B, "/etc/qtfs/whitelist", whitelist + "\n[Mount]\nPath=/srv\n");
    must("daemon-reload");
    return module;
  }

  @Test
  @Order(10)
  void stoppingLeavesNothing() throws Exception {
    must("stop", "udsproxyd.socket", "udsproxyd-link@*.socket", "rexec_server.socket");
    must("stop", "udsproxyd.service", "rexec_server.service");
    assertThat(property("udsproxyd.service", "Result")).isEqualTo("success");
    assertThat(Files.exists(hosts.file(Host.B, "/run/qtfs/remote_uds.sock"))).isFalse();
    assertThat(Files.exists(hosts.file(Host.B, "/run/rexec/rexec_uds.sock"))).isFalse();
  }
}
