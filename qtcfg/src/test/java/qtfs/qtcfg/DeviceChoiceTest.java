package qtfs.qtcfg;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which device a call is about, and what it says where it cannot be asked: one clear line. */
final class DeviceChoiceTest {
  @TempDir private Path directory;
  private SimulatedKernel kernel = new SimulatedKernel(Path.of(""));

  @BeforeEach
  void kernel() {
    kernel = new SimulatedKernel(directory);
  }

  private static void says(SimulatedKernel.Result result, int code, String line) {
    assertThat(result.err()).isEqualTo(line + "\n");
    assertThat(result.code()).isEqualTo(code);
  }

  @Test
  void none() {
    String line =
        "qtcfg: neither /dev/qtfs_client nor /dev/qtfs_server is there: load the kernel module"
            + " qtfs (client) or qtfs_server (server)";
    says(kernel.qtcfg("list"), 69, line);
    SimulatedKernel.Result old = kernel.qtcfg("-z");
    says(old, 255, line);
    assertThat(old.out()).isEqualTo("ERROR: open file /dev/qtfs_client failed.\n");
    says(
        kernel.qtcfg("list", "--role", "server"),
        69,
        "qtcfg: /dev/qtfs_server is not there: load the kernel module qtfs_server");
  }

  @Test
  void theOneThatIsThere() {
    kernel.load(Role.CLIENT);
    assertThat(kernel.qtcfg("list").out()).isEqualTo("[Udsconnect]\n");
    assertThat(kernel.qtcfg("-z").out()).isEqualTo("Get qtfs <Udsconnect> white list:\n");
    kernel.unload(Role.CLIENT);
    kernel.load(Role.SERVER);
    assertThat(kernel.qtcfg("list").out()).startsWith("[Open]\n");
  }

  @Test
  void both() {
    kernel.load(Role.CLIENT).load(Role.SERVER);
    String line =
        "qtcfg: both /dev/qtfs_client and /dev/qtfs_server are there:"
            + " add --role client or --role server";
    says(kernel.qtcfg("list"), 78, line);
    says(kernel.qtcfg("-z"), 255, line);
    assertThat(kernel.qtcfg("--role=client", "-z").out()).contains("<Udsconnect>");
    assertThat(kernel.qtcfg("--role", "server", "list").out()).startsWith("[Open]\n");
    assertThat(kernel.qtcfg("list", "--role", "client").out()).isEqualTo("[Udsconnect]\n");
    assertThat(kernel.qtcfg("--device", "/dev/qtfs_server", "list").out()).startsWith("[Open]");
  }

  @Test
  void noPermission() {
    kernel.set(Role.SERVER, "errno", 13);
    String line = "qtcfg: /dev/qtfs_server cannot be opened: Permission denied: run this as root";
    says(kernel.qtcfg("list"), 77, line);
    SimulatedKernel.Result old = kernel.qtcfg("-z");
    says(old, 255, line);
    assertThat(old.out()).isEqualTo("ERROR: open file /dev/qtfs_server failed.\n");
  }

  @Test
  void aNodeWithoutItsModuleIsNotThere() {
    kernel.set(Role.CLIENT, "errno", 19);
    kernel.load(Role.SERVER);
    assertThat(kernel.qtcfg("list").out()).startsWith("[Open]\n");
  }

  @Test
  void anotherName() throws Exception {
    kernel.load(Role.CLIENT);
    Path link = Files.createSymbolicLink(directory.resolve("mine"), kernel.state(Role.CLIENT));
    says(
        kernel.qtcfg("--device", link.toString(), "list"),
        78,
        "qtcfg: " + link + ": its name does not tell whose it is: add --role client or server");
    assertThat(
            kernel
                .run(Tool.QTCFG, List.of("list", "--role", "client", "--device", link.toString()))
                .err())
        .isEmpty();
  }

  @Test
  void anotherVersion() {
    kernel.load(Role.CLIENT);
    kernel.set(Role.CLIENT, "size", 2904);
    String line =
        "/dev/qtfs_client is of another version: its struct qtinfo has 2904 bytes, this program"
            + " knows 2888: install module and programs of one version";
    says(kernel.qtinfo("stats"), 76, "qtinfo: " + line);
    SimulatedKernel.Result old = kernel.qtinfo("-a");
    assertThat(old.out()).isEqualTo("ERROR: " + line + "\n");
    assertThat(old.code()).isEqualTo(255);
    kernel.set(Role.CLIENT, "size", 2856);
    assertThat(kernel.qtinfo("stats").err()).contains("has 2856 bytes, this program knows 2888");
  }
}
