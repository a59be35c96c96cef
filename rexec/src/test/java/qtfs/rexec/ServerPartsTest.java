package qtfs.rexec;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.Errno;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.Pipe;

/** What the server decides about a program: where it is, its environment and its files. */
final class ServerPartsTest {
  @TempDir Path dir;

  private Path executable(String name) throws IOException {
    Path file =
        Files.writeString(
            Files.createDirectories(dir.resolve(name).getParent())
                .resolve(dir.resolve(name).getFileName()),
            "");
    assertThat(file.toFile().setExecutable(true)).isTrue();
    return file;
  }

  @Test
  void aNameWithASlashIsTakenAsItIs() {
    assertThat(Program.find("/no/such", null)).isEqualTo(new Program("/no/such", 0));
    assertThat(Program.find("./x", "/bin")).isEqualTo(new Program("./x", 0));
  }

  @Test
  void aBareNameIsSearchedInPathOnly() throws IOException {
    Path second = executable("two/tool");
    Files.createDirectories(dir.resolve("one/tool"));
    String path = dir + "/none:" + dir + "/one:" + dir + "/two";
    assertThat(Program.find("tool", path)).isEqualTo(new Program(second.toString(), 0));
    assertThat(Program.find("tool", dir + "/one").errno()).isEqualTo(Errno.ENOENT);
    assertThat(Program.find("", path).errno()).isEqualTo(Errno.ENOENT);
    assertThat(Program.find("sh", null).path()).isEqualTo("/bin/sh");
  }

  @Test
  void aFileThatIsNoProgramIsPassedOverButRemembered() throws IOException {
    Files.writeString(dir.resolve("tool"), "");
    assertThat(Program.find("tool", dir.toString()).errno()).isEqualTo(Errno.EACCES);
    Path right = executable("bin/tool");
    assertThat(Program.find("tool", dir + ":" + dir + "/bin").path()).isEqualTo(right.toString());
  }

  @Test
  void nothingThatLoadsOrRunsOtherCodeIsPassedOn() {
    List<String> harmless = List.of("PATH=/bin", "LANG=C", "A=(x) {", "EMPTY=", "LDX=1", "HOME=/");
    List<String> all = new ArrayList<>(harmless);
    all.addAll(
        List.of(
            "LD_PRELOAD=/x.so",
            "LD_LIBRARY_PATH=/x",
            "LD_AUDIT=/x",
            "BASH_ENV=/x",
            "ENV=/x",
            "IFS=/",
            "GCONV_PATH=/x",
            "JAVA_TOOL_OPTIONS=-Dx",
            "JDK_JAVA_OPTIONS=-Dx",
            "_JAVA_OPTIONS=-Dx",
            "PYTHONPATH=/x",
            "PYTHONSTARTUP=/x",
            "PERL5LIB=/x",
            "PERL5OPT=-Mx",
            "RUBYOPT=-rx",
            "RUBYLIB=/x",
            "NODE_OPTIONS=-r x",
            "NOTIFY_SOCKET=/x",
            "LISTEN_FDS=1",
            "LISTEN_PID=1",
            "JOURNAL_STREAM=1:2",
            "INVOCATION_ID=1",
            "WATCHDOG_USEC=1",
            "QTFS_RUN_DIR=/x",
            "REXEC_RUN_DIR=/x",
            "X=() { :; }; echo vulnerable",
            "BASH_FUNC_x%%=() { :; }",
            "no variable",
            "=x"));
    assertThat(ChildEnvironment.of(all)).isEqualTo(harmless);
  }

  @Test
  void theLocaleIsTheServersAndNotItsJvms() {
    assertThat(ChildEnvironment.of(List.of("A=1", "LC_ALL=C.UTF-8", "QTFS_LC_ALL=POSIX")))
        .containsExactly("A=1", "LC_ALL=POSIX");
    assertThat(ChildEnvironment.of(List.of("LC_CTYPE=C.UTF-8", "QTFS_LC_CTYPE=", "A=1")))
        .containsExactly("A=1");
  }

  @Test
  void filesAreOpenedAtTheirPlaceAndNeverMade() throws IOException {
    Path file = Files.writeString(dir.resolve("f"), "0123456789");
    int flags = Fd.O_RDWR | Fd.O_APPEND | Fd.O_CREAT | Fd.O_TRUNC | 0x8000;
    List<InheritedFile> wanted =
        List.of(
            new InheritedFile(7, file.toString(), flags, 4),
            new InheritedFile(8, dir + "/missing", flags, 0));
    try (ReopenedFiles files = ReopenedFiles.open(wanted)) {
      assertThat(files.opened().keySet()).containsExactly(7);
      Fd fd = Objects.requireNonNull(files.opened().get(7));
      assertThat(fd.position()).isEqualTo(4);
      assertThat(Fcntl.statusFlags(fd) & (Fd.O_ACCMODE | Fd.O_APPEND))
          .isEqualTo(Fd.O_RDWR | Fd.O_APPEND);
      assertThat(files.problems())
          .containsExactly("descriptor 8: open " + dir + "/missing: No such file or directory");
    }
    assertThat(file).hasContent("0123456789");
    assertThat(dir.resolve("missing")).doesNotExist();
  }

  @Test
  void nothingButRegularFilesIsOpened() throws IOException {
    // Opening this for reading would wait for a writer.
    Pipe.makeFifo(dir.resolve("fifo"), 0600);
    for (String path : List.of(dir + "/fifo", dir.toString(), "/dev/null")) {
      try (ReopenedFiles files =
          ReopenedFiles.open(List.of(new InheritedFile(3, path, Fd.O_RDONLY, 0)))) {
        assertThat(files.opened()).isEmpty();
        assertThat(files.problems().getFirst()).contains(path).contains("not a regular file");
      }
    }
  }
}
