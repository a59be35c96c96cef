package qtfs.rexec;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;
import qtfs.linux.ByteStrings;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.LinuxException;
import qtfs.linux.ProcessAttributes;
import qtfs.whitelist.ProgramRule;

/**
 * The file that a program's name has led to, open from before it is judged until its program has
 * ended: so that what was judged is what is executed, whatever becomes of the path meanwhile. One
 * thread; owns the descriptor and the link.
 */
final class OpenedProgram implements Closeable, ProgramRule.Content {
  private static final int OTHERS_WRITE = 0022;

  private final Program program;
  private final @Nullable Fd file;
  private @Nullable Path link;

  /**
   * @param program with the reason, where there is no file
   */
  private OpenedProgram(Program program, @Nullable Fd file) {
    this.program = program;
    this.file = file;
  }

  /** Opens what was found; what is not there or out of reach stays for the exec to tell. */
  static OpenedProgram open(Program program) {
    if (!program.isFound()) {
      return new OpenedProgram(program, null);
    }
    try {
      return new OpenedProgram(program, Fd.open(ByteStrings.text(program.path()), Fd.O_PATH, 0));
    } catch (LinuxException e) {
      return new OpenedProgram(new Program(program.path(), e.errno()), null);
    }
  }

  /** For the rules. */
  ProgramRule.Target target() {
    String called = ByteStrings.text(program.path());
    return new ProgramRule.Target(called, real(called), this);
  }

  private String real(String called) {
    try {
      return file == null ? called : Fcntl.path(file.number());
    } catch (LinuxException e) {
      return called;
    }
  }

  /** To be executed by its path, as it was found. */
  Program byPath() {
    return program;
  }

  /**
   * The same file under a path that cannot be made to lead to another one: a link in a directory of
   * ours to this process's descriptor. Not {@code /proc/self/fd/N} itself, since the program would
   * be called N in {@code /proc/PID/comm}.
   *
   * @param place free, in a directory that nobody else may write
   */
  Program pinned(Path place) throws IOException {
    if (file == null) {
      return program;
    }
    Path name = Path.of(ByteStrings.text(program.path())).getFileName();
    Files.createDirectory(place);
    link = place.resolve(String.valueOf(name));
    String target = "/proc/" + ProcessAttributes.pid() + "/fd/" + file.number();
    Files.createSymbolicLink(link, Path.of(target));
    return new Program(ByteStrings.of(link.toString()), 0);
  }

  /**
   * The digest of a file that only root and the server's user can write: another's might be changed
   * between now and its exec.
   */
  @Override
  public String sha256() throws IOException {
    if (file == null) {
      throw new IOException("there is no such file");
    }
    FileStatus status = FileStatus.of(file);
    if (!status.isRegular()) {
      throw new IOException("it is a " + status.kind());
    }
    boolean ours = status.uid() == 0 || status.uid() == ProcessAttributes.uid();
    if (!ours || (status.permissions() & OTHERS_WRITE) != 0) {
      throw new IOException("somebody else than root can write it");
    }
    try (InputStream in = Files.newInputStream(Path.of(file.procPath()))) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[1 << 16];
      for (int n; (n = in.read(buffer)) > 0; ) {
        digest.update(buffer, 0, n);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError(impossible);
    }
  }

  @Override
  public void close() {
    if (file != null) {
      file.close();
    }
    if (link != null) {
      Orphans.removePinned(link);
    }
  }
}
