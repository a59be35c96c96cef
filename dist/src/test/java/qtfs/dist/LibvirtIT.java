package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import qtfs.dist.TwoHosts.Host;

/**
 * {@code virsh} on A has a libvirtd of B make, run and end machines. They are emulated, since the
 * machines that test seldom have KVM.
 */
final class LibvirtIT {
  private static final String SOCKET = "/run/libvirt/libvirt-sock";
  private static final int LARGE = 4_000_000;

  /** libvirt's packages make this user when they are installed whole; here only B knows him. */
  private static final String SERVER =
      """
      set -e
      mkdir -p /run/libvirt /run/known
      for file in passwd group; do cp /etc/$file /run/known; done
      echo libvirt-qemu:x:64055:64055::/nonexistent:/usr/sbin/nologin >>/run/known/passwd
      echo libvirt-qemu:x:64055: >>/run/known/group
      grep -q ^kvm: /run/known/group || echo kvm:x:64056: >>/run/known/group
      for file in passwd group; do mount --bind /run/known/$file /etc/$file; done
      cat >/etc/libvirt/qemu.conf <<-END
      	user = "root"
      	group = "root"
      	security_driver = "none"
      	dynamic_ownership = 0
      	remember_owner = 0
      	cgroup_controllers = [ ]
      	namespaces = [ ]
      	stdio_handler = "file"
      END
      printf 'unix_sock_group = "root"\\nauth_unix_rw = "none"\\n' >/etc/libvirt/libvirtd.conf
      exec libvirtd
      """;

  private static final String DOMAIN =
      """
      <domain type='qemu'>
        <name>%s</name>
        <memory unit='MiB'>16</memory>
        <os><type machine='pc'>hvm</type></os>
        <devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices>
      </domain>
      """;

  @AutoClose private static TwoHosts hosts;

  @BeforeAll
  static void up() throws Exception {
    Programs.need("virsh", "libvirt-clients");
    Programs.need("libvirtd", "libvirt-daemon libvirt-daemon-driver-qemu");
    Programs.need("/usr/bin/qemu-system-x86_64", "qemu-system-x86");
    hosts =
        TwoHosts.bare(
            "10.77.0",
            "/etc/libvirt",
            "/var/lib/libvirt",
            "/var/cache/libvirt",
            "/var/log/libvirt");
    hosts.write(Host.A, "/etc/qtfs/whitelist", "");
    hosts.write(Host.B, "/etc/qtfs/whitelist", "[Udsaccept]\nPath=" + SOCKET);
    hosts.startProxies();
    hosts.startServer(Host.B, List.of("/bin/sh", "-c", SERVER), SOCKET);
  }

  @ParameterizedTest
  @EnumSource
  void virshRunsAMachineThere(Way way) throws Exception {
    String socket = way.open(hosts, SOCKET);
    String name = "tiny-" + way;
    Path xml = Files.writeString(hosts.shared().resolve(name), DOMAIN.formatted(name));
    assertThat(virsh(way, socket, "hostname")).isEqualToIgnoringNewLines("hostB");
    virsh(way, socket, "define", xml.toString());
    virsh(way, socket, "start", name);
    assertThat(virsh(way, socket, "domstate", name)).contains("running");
    assertThat(virsh(way, socket, "qemu-monitor-command", name, "--hmp", "info status"))
        .contains("VM status: running");
    virsh(way, socket, "suspend", name);
    assertThat(virsh(way, socket, "domstate", name)).contains("paused");
    virsh(way, socket, "destroy", name);
    virsh(way, socket, "undefine", name);
    assertThat(virsh(way, socket, "list", "--all", "--name")).isBlank();
  }

  /** What goes as a stream through libvirt's connection, as volumes and consoles do. */
  @ParameterizedTest
  @EnumSource
  void virshSendsAndFetchesAVolume(Way way) throws Exception {
    String socket = way.open(hosts, SOCKET);
    String pool = "pool-" + way;
    Path here = Files.createDirectory(hosts.shared().resolve(pool));
    byte[] bytes = new byte[LARGE];
    new Random(6).nextBytes(bytes);
    Path sent = Files.write(here.resolve("sent"), bytes);
    Path fetched = here.resolve("fetched");
    virsh(way, socket, "pool-create-as", pool, "dir", "--target", here.toString());
    String size = Integer.toString(LARGE);
    virsh(way, socket, "vol-create-as", pool, "disk", size, "--format", "raw");
    virsh(way, socket, "vol-upload", "disk", sent.toString(), "--pool", pool);
    virsh(way, socket, "vol-download", "disk", fetched.toString(), "--pool", pool);
    virsh(way, socket, "pool-destroy", pool);
    assertThat(fetched).hasSameBinaryContentAs(sent);
  }

  private static String virsh(Way way, String socket, String... words) throws Exception {
    String command = "uri=qemu:///system?socket=$1; shift; exec virsh -q -c \"$uri\" \"$@\"";
    List<String> args = new ArrayList<>(List.of(socket));
    args.addAll(List.of(words));
    Running.Result result = way.run(hosts, command, args.toArray(String[]::new));
    assertThat(result.code()).as("%s: %s", List.of(words), result).isZero();
    return result.output();
  }
}
