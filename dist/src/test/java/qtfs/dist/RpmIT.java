package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The .rpm says what rpm wants to know, and what is in it runs. */
final class RpmIT {
  private static final Path RPM = Path.of(Objects.requireNonNull(System.getProperty("qtfs.rpm")));
  private static final Path PACKAGING = Path.of("src/main/packaging");

  @TempDir private Path directory;

  @BeforeEach
  void need() throws Exception {
    Programs.need("rpm", "rpm");
    Programs.need("rpm2cpio", "rpm2cpio");
    Programs.need("cpio", "cpio");
    TwoHosts.skipUnless(
        Files.exists(RPM), RPM.getFileName() + " is not built: build without -DskipPackages");
  }

  private static String query(String options) throws Exception {
    return Command.succeed("rpm -qp " + options + " \"$1\" 2>/dev/null", RPM);
  }

  @Test
  void isWhole() throws Exception {
    assertThat(Command.succeed("rpm -K --nosignature \"$1\"", RPM)).contains("digests OK");
    assertThat(query("--qf '%{NAME} %{VERSION} %{OS}'")).matches("qtfs \\S+ linux");
  }

  @Test
  void asksForWhatItsLibrariesNeed() throws Exception {
    assertThat(query("--requires"))
        .contains("libc.so.6(GLIBC_" + GlibcVersion.MINIMUM + ")(64bit)", "/bin/sh");
    assertThat(query("--recommends")).contains("coreutils >= 8.31", "util-linux");
  }

  @Test
  void restartsNothing() throws Exception {
    String scripts = query("--scripts");
    assertThat(scripts).contains("systemctl daemon-reload").contains("disable --now");
    assertThat(scripts.lines().filter(line -> !line.contains("echo")))
        .noneMatch(line -> line.contains("restart ") || line.contains(" start "));
  }

  @Test
  void listsItsFiles() throws Exception {
    String files = query("--list");
    assertThat(files.lines())
        .contains("/usr/bin/rexec", "/usr/bin/udsproxyd", "/usr/lib/qtfs/lib/rexec.jar");
    assertThat(query("--configfiles").lines().filter(line -> !line.startsWith("/etc/"))).isEmpty();
    assertThat(query("--qf '[%{FILENAMES} %{FILEFLAGS:fflags}\\n]'").lines())
        .filteredOn(line -> line.startsWith("/etc/") && line.matches(".*\\.\\w+ .*"))
        .allMatch(line -> line.endsWith(" cn"));
    assertThat(query("--qf '[%{FILEUSERNAME}:%{FILEGROUPNAME}\\n]'").lines().distinct())
        .containsExactly("root:root");
  }

  @Test
  void holdsProgramsThatRun() throws Exception {
    Command.succeed("cd \"$1\"; rpm2cpio \"$2\" | cpio -idm --quiet", directory, RPM);
    for (String program : List.of("udsproxyd", "rexec_server", "qtcfg", "qtinfo", "engine")) {
      assertThat(Command.succeed("exec \"$1/usr/bin/\"$2 --version", directory, program))
          .startsWith(program);
    }
    if (Files.exists(directory.resolve("usr/lib/qtfs/lib/runtime"))) {
      Command.succeed("QTFS_JAVA_OPTIONS=-XX:AOTMode=on \"$1/usr/bin/qtcfg\" --version", directory);
    }
  }

  /** Where a package has the C programs, rpm touches nothing and says what to remove. */
  @Test
  void doesNotGoOverThePackageOfTheCPrograms() throws Exception {
    Programs.need("rpmbuild", "rpm");
    Files.writeString(
        directory.resolve("c.spec"),
        """
        Name: dpu-utilities
        Version: 1.9
        Release: 1
        Summary: the C programs
        License: none
        BuildArch: noarch
        %description
        %install
        install -D /dev/null %{buildroot}/usr/bin/rexec
        %files
        /usr/bin/rexec
        """);
    Running.Result result =
        Command.sh(
            """
            cd "$1"
            rpmbuild -bb --define "_topdir $1/build" --define '_build_id_links none' c.spec >build.log 2>&1
            rpm --root "$1/root" --nodeps --nosignature -i build/RPMS/noarch/*.rpm
            rpm --root "$1/root" --nodeps --nosignature --noscripts -i "$2"
            """,
            directory.toAbsolutePath(),
            RPM.toAbsolutePath());
    assertThat(result.code()).as("%s", result).isNotZero();
    assertThat(result.stderr())
        .contains("file /usr/bin/rexec")
        .contains("conflicts with file from package dpu-utilities-1.9-1");
  }

  @Test
  void hasASpecOfTheSameScripts() throws Exception {
    String spec = Files.readString(PACKAGING.resolve("qtfs.spec"));
    for (String script : List.of("post", "preun", "postun")) {
      assertThat(spec)
          .contains("%" + script + "\n" + Files.readString(PACKAGING.resolve("rpm/" + script)));
    }
    Programs.need("rpmspec", "rpm");
    for (String with : List.of("--with image", "--without image")) {
      assertThat(
              Command.succeed(
                  "rpmspec -q --qf '%{VERSION}\\n' " + with + " \"$1\"",
                  PACKAGING.resolve("qtfs.spec").toAbsolutePath()))
          .isEqualTo(query("--qf '%{VERSION}\\n'"));
    }
  }
}
