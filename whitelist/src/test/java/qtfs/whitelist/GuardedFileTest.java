package qtfs.whitelist;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** S7: who may have written either file. */
final class GuardedFileTest {
  private static final int NOBODY = 65534;

  @TempDir Path dir;
  private Path file = Path.of("");

  @BeforeEach
  void write() throws IOException {
    file = dir.resolve("whitelist");
    Files.writeString(file, "[Open]\nPath=/a\n");
    mode("0400");
  }

  private void mode(String octal) throws IOException {
    Files.setAttribute(file, "unix:mode", Integer.parseInt(octal, 8));
  }

  /** Both readers' complaint, which is the same. */
  private List<String> complaint() {
    List<String> qtfs = messages(() -> QtfsWhitelist.load(file));
    assertThat(messages(() -> RexecWhitelist.load(file))).isEqualTo(qtfs);
    return qtfs;
  }

  private interface Load {
    void run() throws WhitelistException;
  }

  private static List<String> messages(Load load) {
    try {
      load.run();
      return List.of();
    } catch (WhitelistException e) {
      return e.problems().stream().map(Problem::toString).toList();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"0400", "0600", "0444", "0644", "0755", "0401", "0511"})
  void takesAFileThatOthersCannotWrite(String mode) throws Exception {
    mode(mode);
    assertThat(complaint()).isEmpty();
    assertThat(QtfsWhitelist.load(file).entries(Group.OPEN)).containsExactly("/a");
    assertThat(QtfsWhitelist.loadIfPresent(file).entries(Group.OPEN)).containsExactly("/a");
    assertThat(RexecWhitelist.load(file).allows("Path=/a")).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"0420", "0402", "0666", "0664", "0646", "0777"})
  void refusesAFileThatOthersCanWrite(String mode) throws Exception {
    mode(mode);
    assertThat(complaint())
        .containsExactly(
            file + ": is writable by group or others (mode " + mode + "): run chmod go-w " + file);
  }

  @Test
  void refusesAFileOfSomebodyElse() throws Exception {
    assumeTrue(
        GuardedFile.effectiveUser() == 0, "SKIPPED: only root can give a file away; run as root");
    Files.setAttribute(file, "unix:uid", NOBODY);
    assertThat(complaint())
        .containsExactly(file + ": belongs to uid 65534, not to root: run chown root " + file);
  }

  @ParameterizedTest
  @CsvSource({"0,0,true", "0,1000,true", "1000,1000,true", "1000,0,false", "1001,1000,false"})
  void takesTheFileOfRootAndOfTheEffectiveUser(int owner, int user, boolean taken) {
    Problems problems = new Problems(file);
    new GuardedFile(file, problems).checkOwner(owner, user);
    if (taken) {
      assertThat(messages(problems::throwIfAny)).isEmpty();
    } else {
      assertThat(messages(problems::throwIfAny)).singleElement().asString().contains("chown root");
    }
  }

  @Test
  void knowsTheEffectiveUser() throws Exception {
    Process id = new ProcessBuilder("id", "-u").redirectErrorStream(true).start();
    String uid = new String(id.getInputStream().readAllBytes(), UTF_8).strip();
    assertThat(GuardedFile.effectiveUser()).isEqualTo(Integer.parseInt(uid));
  }

  @Test
  void reportsModeAndContentAtOnce() throws Exception {
    Files.writeString(file, "[Open]\nPath=a\n\u0007\n");
    mode("0622");
    assertThat(messages(() -> QtfsWhitelist.load(file))).hasSize(3);
    assertThat(messages(() -> RexecWhitelist.load(file))).hasSize(2);
  }

  @Test
  void refusesADirectory() throws Exception {
    file = Files.createDirectory(dir.resolve("directory"));
    assertThat(complaint()).containsExactly(file + ": is not a regular file: put one there");
  }

  @Test
  void refusesAPipeWithoutWaitingForIt() throws Exception {
    file = dir.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", file.toString()).start().waitFor()).isZero();
    assertThat(complaint()).containsExactly(file + ": is not a regular file: put one there");
  }

  @ParameterizedTest
  @ValueSource(strings = {"whitelist", "nowhere"})
  void refusesASymbolicLink(String target) throws Exception {
    file = Files.createSymbolicLink(dir.resolve("link"), dir.resolve(target));
    assertThat(complaint()).singleElement().asString().contains("is a symbolic link");
    assertThatThrownBy(() -> QtfsWhitelist.loadIfPresent(file))
        .isInstanceOf(WhitelistException.class);
  }

  @Test
  void tellsHowToMakeAMissingFile() throws Exception {
    Path missing = dir.resolve("missing");
    assertThatThrownBy(() -> QtfsWhitelist.load(missing))
        .isInstanceOf(WhitelistException.class)
        .hasMessage(
            missing + ": does not exist: make it with: install -D -m 0644 /dev/null " + missing)
        .hasCauseInstanceOf(NoSuchFileException.class);
    assertThatThrownBy(() -> RexecWhitelist.load(missing))
        .isInstanceOf(WhitelistException.class)
        .hasMessage(
            missing
                + ": does not exist: make it with: install -D -m 0400 /dev/null "
                + missing
                + ", and write into it the programs that a peer may run, one a line");
    assertThat(QtfsWhitelist.loadIfPresent(missing).entries(Group.OPEN)).isEmpty();
  }

  @Test
  void refusesAByteOrderMark() throws Exception {
    mode("0600");
    Files.writeString(file, "\ufeff[Open]\nPath=/a\n");
    assertThat(complaint())
        .containsExactly(file + ":1:1: byte order mark: save the file as UTF-8 without one");
  }

  @Test
  void refusesWhatIsFarTooBig() throws Exception {
    mode("0600");
    Files.writeString(file, "\n".repeat((8 << 20) + 1));
    assertThat(messages(() -> QtfsWhitelist.load(file)))
        .containsExactly(file + ": has more than 8388608 bytes: this is no whitelist");
    assertThat(messages(() -> RexecWhitelist.load(file)))
        .containsExactly(file + ": has more than 1048576 bytes: this is no whitelist");
  }

  /** Root reads every file whatever its mode, but not one whose file system has no read for it. */
  @Test
  void refusesAnUnreadableFile() throws Exception {
    if (GuardedFile.effectiveUser() == 0) {
      Path writeOnly = Path.of("/proc/self/clear_refs");
      assertThat(messages(() -> QtfsWhitelist.load(writeOnly)))
          .singleElement()
          .asString()
          .startsWith(writeOnly + ": cannot be read: ");
    } else {
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("---------"));
      assertThat(complaint())
          .containsExactly(file + ": cannot be read, permission denied: run this program as root");
    }
  }
}
