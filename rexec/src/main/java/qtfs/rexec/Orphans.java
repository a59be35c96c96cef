package qtfs.rexec;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import qtfs.linux.Log;
import qtfs.linux.Spawn;

/**
 * What a killed server leaves behind: children held before their exec, and the named pipes that
 * they wait at. Running programs are not touched: a killed C server leaves them too.
 */
final class Orphans {
  /** How the pipes' names start. */
  static final String GATE_PREFIX = "held.";

  private Orphans() {}

  /** Removes them; by the server that holds the lock of the run directory. */
  static void sweep(Path runDir) throws IOException {
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : processes) {
        if (isOrphan(process)) {
          kill(process);
        }
      }
    }
    try (DirectoryStream<Path> gates = Files.newDirectoryStream(runDir, GATE_PREFIX + "*")) {
      for (Path gate : gates) {
        Files.deleteIfExists(gate);
      }
    }
  }

  /**
   * Whether a process is a held child whose server is gone. Until its exec such a child has the
   * server's executable, and its parent too for as long as that is the server.
   */
  private static boolean isOrphan(Path process) {
    try {
      String stat = Files.readString(process.resolve("stat"));
      if (!stat.contains(" (" + Spawn.HELD_COMM + ") ")) {
        return false;
      }
      // pid (comm) state ppid ...
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
      Path parent = process.resolveSibling(fields[1]);
      return !executable(process).equals(executable(parent));
    } catch (IOException e) {
      return false;
    }
  }

  private static Path executable(Path process) throws IOException {
    return Files.readSymbolicLink(process.resolve("exe"));
  }

  private static void kill(Path process) {
    ProcessHandle.of(Long.parseLong(process.getFileName().toString()))
        .ifPresent(
            orphan -> {
              Log.warn("ending process " + orphan.pid() + ", left by a killed server");
              boolean ignored = orphan.destroyForcibly();
            });
  }
}
