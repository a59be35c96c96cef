package qtfs.rexec;

import static java.util.Objects.requireNonNull;

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

  /** How the names of the directories start that {@link OpenedProgram} has its links in. */
  static final String PINNED_PREFIX = "exec.";

  private Orphans() {}

  /** Removes them; by the server that holds the lock of the run directory. */
  static void sweep(Path runDir) throws IOException {
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : processes) {
        if (isOrphan(look(process))) {
          kill(process);
        }
      }
    }
    sweepFiles(runDir);
  }

  /** Removes the files alone: where the server is about to end, and nobody waits at them. */
  static void sweepFiles(Path runDir) throws IOException {
    try (DirectoryStream<Path> gates = Files.newDirectoryStream(runDir, GATE_PREFIX + "*")) {
      for (Path gate : gates) {
        Files.deleteIfExists(gate);
      }
    }
    try (DirectoryStream<Path> places = Files.newDirectoryStream(runDir, PINNED_PREFIX + "*")) {
      for (Path place : places) {
        sweepPlace(place);
      }
    }
  }

  private static void sweepPlace(Path place) throws IOException {
    try (DirectoryStream<Path> links = Files.newDirectoryStream(place)) {
      for (Path link : links) {
        Files.delete(link);
      }
    }
    Files.deleteIfExists(place);
  }

  /** Removes a link of {@link OpenedProgram} and the directory that it has for itself. */
  static void removePinned(Path link) {
    try {
      Files.deleteIfExists(link);
      Files.deleteIfExists(requireNonNull(link.getParent()));
    } catch (IOException e) {
      Log.warn("cannot remove " + link + ": " + e.getMessage());
    }
  }

  /** A process as it is at the moment of each question. */
  interface Looked {
    /** The line of {@code /proc/PID/stat}. */
    String stat() throws IOException;

    /** The executable of a process, by its pid. */
    Path executable(String pid) throws IOException;
  }

  private static Looked look(Path process) {
    return new Looked() {
      @Override
      public String stat() throws IOException {
        return Files.readString(process.resolve("stat"));
      }

      @Override
      public Path executable(String pid) throws IOException {
        return Files.readSymbolicLink(process.resolveSibling(pid).resolve("exe"));
      }
    };
  }

  /**
   * Whether a process is a held child whose server is gone. Until its exec such a child has the
   * server's executable, and its parent too for as long as that is the server.
   */
  static boolean isOrphan(Looked process) {
    try {
      String stat = process.stat();
      // pid (comm) state ppid ...
      String pid = stat.substring(0, Math.max(0, stat.indexOf(' ')));
      return isHeld(stat)
          && !process.executable(pid).equals(process.executable(parent(stat)))
          // If it has gone on to its exec meanwhile, it is another executable for that reason.
          && isHeld(process.stat());
    } catch (IOException e) {
      return false;
    }
  }

  private static boolean isHeld(String stat) {
    return stat.contains(" (" + Spawn.HELD_COMM + ") ");
  }

  private static String parent(String stat) {
    return stat.substring(stat.lastIndexOf(')') + 2).split(" ")[1];
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
