package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * install.sh puts all where it belongs, says so, leaves configuration alone, and takes all back.
 */
final class InstallIT {
  private static final String INSTALL = "\"$1/install.sh\" --prefix /usr --destdir \"$2\"";

  private Tarball tarball;
  private Path root;

  @BeforeEach
  void unpack() throws Exception {
    tarball = Tarball.unpack();
    root = tarball.directory().resolve("another root");
    // As an image has it that ships some.
    write("etc/qtfs/udsproxyd.env", "UDSPROXYD_LINK=\n");
    write("etc/rexec/example.conf", "# nothing\n");
    write("share/man/man8/udsproxyd.8", ".TH udsproxyd 8\n");
    write("lib/systemd/system/udsproxyd.service", "ExecStart=/usr/bin/udsproxyd $LINK\n");
  }

  @AfterEach
  void delete() throws Exception {
    tarball.close();
  }

  private void write(String file, String text) throws Exception {
    Path path = tarball.image().resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }

  private String install(String options) throws Exception {
    return Command.succeed(INSTALL + " " + options, tarball.image(), root);
  }

  @Test
  void onlySaysWhatItWouldDo() throws Exception {
    assertThat(install("--dry-run")).contains("link     " + root + "/usr/bin/rexec");
    assertThat(root).doesNotExist();
  }

  @Test
  void installsEveryPart() throws Exception {
    String said = install("");
    assertThat(said).contains("install  " + root + "/usr/lib/qtfs", root + "/usr/bin/qtcfg");
    assertThat(Command.succeed("\"$1/usr/bin/qtcfg\" --version", root)).startsWith("qtcfg");
    assertThat(root.resolve("usr/bin/rexec")).isSymbolicLink();
    assertThat(root.resolve("usr/share/man/man8/udsproxyd.8")).exists();
    assertThat(Files.exists(root.resolve("usr/share/doc/qtfs/qtfs.cdx.json")))
        .isEqualTo(Files.exists(tarball.image().resolve("share/doc/qtfs/qtfs.cdx.json")));
    assertThat(root.resolve("usr/lib/systemd/system/udsproxyd.service"))
        .content()
        .contains("ExecStart=/usr/bin/udsproxyd");
    assertThat(Files.getPosixFilePermissions(root.resolve("etc/rexec"))).hasSize(3);
    assertThat(root.resolve("etc/rexec/example.conf")).exists();
    assertThat(Files.exists(root.resolve("usr/lib64/libudsproxy.so")))
        .isEqualTo(Files.exists(tarball.image().resolve("lib/libudsproxy.so")));
    // The caches fit only if the times of the files were kept.
    if (Files.exists(root.resolve("usr/lib/qtfs/lib/runtime"))) {
      Command.succeed("QTFS_JAVA_OPTIONS=-XX:AOTMode=on \"$1/usr/bin/qtcfg\" --version", root);
    }
  }

  @Test
  void namesAnotherPrefixInUnits() throws Exception {
    Command.succeed("\"$1/install.sh\" --prefix /opt/q --destdir \"$2\"", tarball.image(), root);
    assertThat(root.resolve("opt/q/lib/systemd/system/udsproxyd.service"))
        .content()
        .contains("ExecStart=/opt/q/bin/udsproxyd");
  }

  @Test
  void neverOverwritesConfiguration() throws Exception {
    install("");
    Path environment = root.resolve("etc/qtfs/udsproxyd.env");
    Files.writeString(environment, "UDSPROXYD_LINK=mine\n");
    assertThat(install("")).contains("kept     " + environment);
    assertThat(environment).hasContent("UDSPROXYD_LINK=mine\n");
  }

  @Test
  void removesOnlyWhatItInstalled() throws Exception {
    install("");
    Files.writeString(root.resolve("usr/bin/another"), "");
    Command.succeed("\"$1/usr/lib/qtfs/install.sh\" --uninstall --destdir \"$1\"", root);
    Path image = tarball.image();
    List<String> left = new ArrayList<>();
    ImageFiles.below(image.resolve("etc")).forEach(file -> left.add("" + image.relativize(file)));
    left.add("usr/bin/another");
    assertThat(ImageFiles.below(root))
        .map(file -> root.relativize(file).toString())
        .isEqualTo(left);
    assertThat(root.resolve("usr/bin/rexec")).doesNotExist();
    assertThat(root.resolve("usr/lib/qtfs")).doesNotExist();
  }

  @Test
  void forgetsWhatAnEarlierVersionHad() throws Exception {
    write("share/man/man8/old.8", ".TH old 8\n");
    install("");
    Files.delete(tarball.image().resolve("share/man/man8/old.8"));
    assertThat(install("")).contains("remove   " + root + "/usr/share/man/man8/old.8");
    assertThat(root.resolve("usr/share/man/man8/old.8")).doesNotExist();
    assertThat(root.resolve("usr/share/man/man8/udsproxyd.8")).exists();
  }

  @Test
  void movesTheProgramsThatWereThereAsideOnlyWhenTold() throws Exception {
    Path theirs = root.resolve("usr/bin/udsproxyd");
    Files.createDirectories(theirs.getParent());
    Files.writeString(theirs, "the C program\n");
    Running.Result refused = Command.sh(INSTALL, tarball.image(), root);
    assertThat(refused.code()).as("%s", refused).isEqualTo(1);
    assertThat(refused.stderr()).contains(theirs + " is there already", "--replace");
    assertThat(root.resolve("usr/lib/qtfs")).doesNotExist();
    install("--replace");
    assertThat(theirs).isSymbolicLink();
    assertThat(Path.of(theirs + ".replaced")).hasContent("the C program\n");
    install("--uninstall");
    assertThat(theirs).isRegularFile().hasContent("the C program\n");
  }

  @Test
  void refusesWhatItDoesNotKnow() throws Exception {
    for (String wrong : List.of("--prefx /usr", "--prefix usr", "--destdir")) {
      Running.Result result = Command.sh("exec \"$1/install.sh\" " + wrong, tarball.image());
      assertThat(result.code()).as("%s", result).isEqualTo(1);
      assertThat(result.stderr()).startsWith("install.sh: --").hasLineCount(1);
    }
  }
}
