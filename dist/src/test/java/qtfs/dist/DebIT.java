package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import qtfs.testing.Await;

/** The .deb is installed, upgraded, removed and purged as Debian's packages are. */
final class DebIT {
  private static final Path DEB = Path.of(Objects.requireNonNull(System.getProperty("qtfs.deb")));

  private PrivateRoot root;
  private String deb;

  @BeforeEach
  void install() throws Exception {
    Programs.need("dpkg", "dpkg");
    TwoHosts.skipUnless(
        Files.exists(DEB), DEB.getFileName() + " is not built: build without -DskipPackages");
    root = PrivateRoot.make();
    deb = root.bring(DEB);
    // What the machine may have of its own.
    root.succeed("rm -rf /etc/qtfs /etc/rexec");
    // A program of the same name that no package owns, as "make install" leaves it.
    root.succeed("echo C >/usr/bin/udsproxyd");
    root.succeed("dpkg -i " + deb);
  }

  @AfterEach
  void close() throws IOException {
    if (root != null) {
      root.close();
    }
  }

  @Test
  void installsProgramsThatRun() throws Exception {
    for (String program : new String[] {"udsproxyd", "rexec_server", "qtcfg", "qtinfo", "engine"}) {
      assertThat(root.succeed(program + " --version")).startsWith(program);
    }
    assertThat(root.succeed("rexec --help")).contains("rexec");
    // Jars and runtime are as old as the caches know them.
    if (Files.exists(DEB.resolveSibling("qtfs/lib/runtime"))) {
      root.succeed("QTFS_JAVA_OPTIONS=-XX:AOTMode=on qtcfg --version");
    }
    assertThat(root.succeed("dpkg -S /usr/bin/udsproxyd")).startsWith("qtfs:");
    assertThat(root.succeed("stat -c %a /etc/rexec")).isEqualTo("700\n");
    assertThat(root.succeed("dpkg --audit")).isEmpty();
    assertThat(root.succeed("dpkg --verify qtfs")).isEmpty();
  }

  @Test
  void leavesTheMachineItselfAlone() throws Exception {
    assertThat(Command.sh("dpkg -s qtfs").code()).isNotZero();
    assertThat(Path.of("/usr/lib/qtfs/bin")).doesNotExist();
  }

  @Test
  void keepsConfigurationOverAnUpgrade() throws Exception {
    root.succeed("echo '# mine' >>" + firstConfiguration());
    root.succeed("echo /bin/sh >/etc/rexec/whitelist");
    String said = root.succeed("dpkg --force-confdef --force-confold -i " + next());
    assertThat(root.succeed("tail -n 1 " + firstConfiguration())).isEqualTo("# mine\n");
    assertThat(root.succeed("cat /etc/rexec/whitelist")).isEqualTo("/bin/sh\n");
    assertThat(root.succeed("dpkg-query -W -f '${Version}' qtfs")).isEqualTo("99");
    assertThat(said).contains("nothing was restarted");
    assertThat(root.succeed("qtcfg --version")).startsWith("qtcfg");
  }

  @Test
  void letsRunningProgramsRunOverAnUpgrade() throws Exception {
    root.succeed("echo /bin/sh >/root/list; chmod 400 /root/list");
    try (Background server = new Background()) {
      String pid = server.pid;
      root.succeed("dpkg -i " + next());
      root.succeed("kill -0 " + pid);
      assertThat(root.succeed("REXEC_RUN_DIR=/run/r rexec /bin/sh -c 'echo there'"))
          .isEqualTo("there\n");
    }
  }

  /** A rexec_server in the private root. */
  private final class Background implements AutoCloseable {
    private final String pid;

    Background() throws Exception {
      pid =
          root.succeed(
                  "rexec_server --run-dir /run/r --whitelist /root/list >/run/log 2>&1 & echo $!")
              .strip();
      Await.until(
          "rexec_server's socket", () -> root.sh("test -S /run/r/rexec_uds.sock").code() == 0);
    }

    @Override
    public void close() throws IOException {
      try {
        root.sh("kill " + pid);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Test
  void removesEverythingButConfigurationAndPurgesThatToo() throws Exception {
    String configuration = firstConfiguration();
    root.succeed("dpkg -r qtfs");
    assertThat(root.sh("ls -d /usr/lib/qtfs /usr/bin/rexec /usr/lib64/libudsproxy.so").output())
        .isEmpty();
    root.succeed("test -f " + configuration);
    root.succeed("echo /bin/sh >/etc/rexec/whitelist");
    root.succeed("dpkg -P qtfs");
    assertThat(root.sh("test -e " + configuration).code()).isNotZero();
    assertThat(root.succeed("cat /etc/rexec/whitelist")).isEqualTo("/bin/sh\n");
    assertThat(root.sh("dpkg -s qtfs").code()).isNotZero();
  }

  @Test
  void needsTheLibraryVersionsThatItsLibrariesAskFor() throws Exception {
    assertThat(root.succeed("dpkg -f " + deb + " Depends"))
        .contains("libc6 (>= " + GlibcVersion.MINIMUM + ")");
    assertThat(root.succeed("dpkg -f " + deb + " Replaces")).contains("qtfs-client");
  }

  /** Kernel modules may come from the package that has the C programs. */
  @Test
  void takesTheProgramsOverFromThePackageOfTheCOnesAndLeavesItTheRest() throws Exception {
    root.succeed(
        """
        dpkg -P qtfs
        mkdir -p /root/c/DEBIAN /root/c/usr/bin /root/c/usr/lib64 /root/c/lib/modules/1/extra
        cd /root/c
        echo C | tee usr/bin/udsproxyd usr/bin/rexec usr/lib64/libudsproxy.so lib/modules/1/extra/qtfs.ko
        printf '%%s\n' 'Package: dpu-utilities' 'Version: 1.9' 'Architecture: all' \
          'Maintainer: C <root@localhost>' 'Description: the C programs' >DEBIAN/control
        dpkg-deb -Zgzip -b /root/c /root/c.deb
        dpkg -i /root/c.deb
        dpkg -i %s
        """
            .formatted(deb));
    assertThat(root.succeed("rexec --help")).contains("rexec");
    assertThat(root.succeed("dpkg -S /usr/bin/rexec /lib/modules/1/extra/qtfs.ko").lines())
        .containsExactly("qtfs: /usr/bin/rexec", "dpu-utilities: /lib/modules/1/extra/qtfs.ko");
    root.succeed("dpkg -P dpu-utilities; rexec --help");
  }

  @Test
  void namesWhoeverBuiltIt() throws Exception {
    assertThat(root.succeed("dpkg -f " + deb + " Maintainer").strip())
        .matches("[^<\\[]+ <\\S+@\\S+>");
  }

  private String firstConfiguration() throws Exception {
    String all = root.succeed("dpkg-query -W -f '${Conffiles}' qtfs");
    TwoHosts.skipUnless(!all.isBlank(), "the package has no configuration file");
    return all.strip().split(" ", 2)[0];
  }

  /** The same package in a later version, which says something else in each configuration file. */
  private String next() throws Exception {
    root.succeed(
        """
        rm -rf /root/next; mkdir /root/next; cd /root/next
        dpkg-deb -R %s d
        sed -i 's/^Version: .*/Version: 99/' d/DEBIAN/control
        find d/etc -type f -exec sed -i '1s/^/# next\\n/' {} +
        dpkg-deb -Zgzip -z1 -b d /root/next.deb >/dev/null
        rm -rf d
        """
            .formatted(deb));
    return "/root/next.deb";
  }
}
