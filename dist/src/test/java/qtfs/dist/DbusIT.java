package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/** Clients are on a D-Bus of the other host, and pass descriptors through it. */
final class DbusIT {
  private static final String SOCKET = "/run/bus.sock";

  private static final String GET_ID =
      "exec dbus-send --bus=unix:path=\"$1\" --print-reply=literal --dest=org.freedesktop.DBus"
          + " /org/freedesktop/DBus org.freedesktop.DBus.GetId";

  @AutoClose private static TwoHosts hosts;

  private static String configuration() {
    return """
        <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
          "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
        <busconfig>
          <type>session</type>
          <listen>unix:path=%s</listen>
          <auth>EXTERNAL</auth>
          <policy context="default">
            <allow send_destination="*"/>
            <allow receive_sender="*"/>
            <allow own="*"/>
          </policy>
        </busconfig>
        """
        .formatted(SOCKET);
  }

  @BeforeAll
  static void up() throws Exception {
    Programs.need("dbus-daemon", "dbus");
    Programs.need("dbus-send", "dbus");
    hosts = TwoHosts.up();
    Path file = hosts.shared().resolve("bus.conf");
    Files.writeString(file, configuration());
    List<String> bus = List.of("dbus-daemon", "--nofork", "--config-file=" + file);
    hosts.startServer(Host.B, bus, SOCKET);
    Await.until("the bus answers", () -> hosts.sh(Host.B, GET_ID, SOCKET).code() == 0);
  }

  @ParameterizedTest
  @EnumSource
  void aMethodIsCalled(Way way) throws Exception {
    Running.Result result = way.run(hosts, GET_ID, way.open(hosts, SOCKET));
    assertThat(result.output())
        .as("%s", result)
        .isNotBlank()
        .isEqualTo(hosts.sh(Host.B, GET_ID, SOCKET).output());
  }

  @ParameterizedTest
  @EnumSource
  void aFileAndPipesArePassedThroughTheBus(Way way) throws Exception {
    Programs.needPython("dbus, gi", "python3 python3-dbus python3-gi");
    Path file = Files.writeString(hosts.shared().resolve("passed"), "text of the file");
    String name = "qtfs.test." + way;
    Running service =
        hosts.start(
            Host.B, List.of(Programs.PYTHON, Programs.script("bus-service.py"), SOCKET, name));
    Await.until("the service has its name: " + service.errors(), () -> !service.output().isEmpty());
    Running.Result result =
        way.run(
            hosts,
            "exec \"$@\"",
            Programs.PYTHON,
            Programs.script("bus-client.py"),
            way.open(hosts, SOCKET),
            name,
            file.toString());
    assertThat(result.stderr()).as("%s; service: %s", result, service.errors()).isEmpty();
    assertThat(result.output().lines())
        .containsExactly(
            "the service read: text of the file",
            "from a pipe passed to the service: written by the service",
            "from a pipe passed by the service: left by the service");
  }
}
