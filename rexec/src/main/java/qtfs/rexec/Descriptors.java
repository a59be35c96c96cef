package qtfs.rexec;

import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Errno;
import qtfs.linux.Fcntl;
import qtfs.linux.Fd;
import qtfs.linux.FileStatus;
import qtfs.linux.LinuxException;

/**
 * The descriptors that this process was started with, told apart from those that the JVM has opened
 * for itself: those are close-on-exec, or files of the Java runtime or of this program.
 */
final class Descriptors {
  private final List<String> runtimeDirs;

  private Descriptors(List<String> runtimeDirs) {
    this.runtimeDirs = runtimeDirs;
  }

  /** For this JVM. */
  static Descriptors ofThisProcess() {
    List<String> dirs = new ArrayList<>();
    addDir(dirs, System.getProperty("java.home", ""));
    String classPath = System.getProperty("java.class.path", "");
    for (int start = 0; start <= classPath.length(); ) {
      int end = classPath.indexOf(File.pathSeparatorChar, start);
      end = end < 0 ? classPath.length() : end;
      String entry = classPath.substring(start, end);
      addDir(dirs, entry.endsWith(".jar") ? new File(entry).getParent() : entry);
      start = end + 1;
    }
    return new Descriptors(dirs);
  }

  private static void addDir(List<String> dirs, @Nullable String dir) {
    if (dir == null || dir.isEmpty()) {
      return;
    }
    String path = new File(dir).getAbsolutePath();
    // As /proc shows it, so without symbolic links.
    try {
      path = new File(path).getCanonicalPath();
    } catch (IOException e) {
      // Then as it is: at worst the path matches nothing.
    }
    dirs.add(path + "/");
  }

  /** A standard stream, or null where the process was started without: never to be closed. */
  @Nullable Fd standard(int number) {
    try {
      return isInherited(number) && !isOfTheRuntime(number) ? Fd.own(number) : null;
    } catch (LinuxException e) {
      return null;
    }
  }

  /**
   * The regular files above 2, in ascending order of their numbers.
   *
   * @throws IOException if they cannot be told: the program would run without them
   */
  List<InheritedFile> files() throws IOException {
    String[] names = new File("/proc/self/fd").list();
    if (names == null) {
      throw new IOException("cannot list /proc/self/fd: are too many files open?");
    }
    List<InheritedFile> files = new ArrayList<>();
    for (String name : names) {
      int number = Integer.parseInt(name);
      if (number > 2) {
        addFile(files, number);
      }
    }
    return files;
  }

  private void addFile(List<InheritedFile> files, int number) throws LinuxException {
    try {
      if (!isInherited(number) || !FileStatus.of(number).isRegular() || isOfTheRuntime(number)) {
        return;
      }
      // A duplicate has the position of the original, and an owner that may close it.
      try (Fd fd = Fd.own(number).duplicate()) {
        InheritedFile file =
            new InheritedFile(number, Fcntl.path(number), Fcntl.statusFlags(number), fd.position());
        int at = files.size();
        while (at > 0 && files.get(at - 1).number() > number) {
          at--;
        }
        files.add(at, file);
      }
    } catch (LinuxException e) {
      // Or the descriptor is gone: it was the one of the directory just listed.
      if (e.errno() != Errno.EBADF && e.errno() != Errno.ENOENT) {
        throw e;
      }
    }
  }

  private static boolean isInherited(int number) throws LinuxException {
    return !Fcntl.isCloseOnExec(number);
  }

  private boolean isOfTheRuntime(int number) throws LinuxException {
    String path = Fcntl.path(number);
    for (int i = 0; i < runtimeDirs.size(); i++) {
      if (path.startsWith(runtimeDirs.get(i))) {
        return true;
      }
    }
    return false;
  }
}
