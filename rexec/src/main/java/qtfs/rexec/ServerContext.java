package qtfs.rexec;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import qtfs.linux.ByteStrings;

/** What all sessions of a server share. Safe from any thread. */
final class ServerContext {
  private final CurrentPolicy policy;
  private final Path runDir;
  private final @Nullable String searchPath;
  private final List<String> childEnvironment;
  private final Children children = new Children();
  private final ServerMetrics metrics = new ServerMetrics();
  private final RunningPrograms running;
  private final AtomicLong names = new AtomicLong();

  /**
   * Describes a server.
   *
   * @param runDir which it has for itself
   * @param environment its own, byte strings
   */
  ServerContext(CurrentPolicy policy, Path runDir, List<String> environment) {
    this.policy = policy;
    this.runDir = runDir;
    this.running = new RunningPrograms(runDir);
    this.searchPath = valueOf("PATH", environment);
    this.childEnvironment = ChildEnvironment.of(environment);
  }

  private static @Nullable String valueOf(String name, List<String> environment) {
    for (String variable : environment) {
      if (variable.startsWith(name + "=")) {
        return variable.substring(name.length() + 1);
      }
    }
    return null;
  }

  CurrentPolicy policy() {
    return policy;
  }

  /** Looks a program up; a relative path counts from the directory that was wished for. */
  Program find(String name, Wishes wishes) {
    String directory = wishes.cwd();
    if (directory == null || name.startsWith("/")) {
      return Program.find(name, searchPath);
    }
    if (name.indexOf('/') >= 0) {
      return Program.find(directory + "/" + name, searchPath);
    }
    Program found = Program.find(name, searchPath);
    // A relative directory in PATH is the server's, and the exec happens in another one.
    return found.isFound() && !found.path().startsWith("/")
        ? new Program(ByteStrings.of(Path.of("").toAbsolutePath() + "/") + found.path(), 0)
        : found;
  }

  List<String> childEnvironment() {
    return childEnvironment;
  }

  Children children() {
    return children;
  }

  ServerMetrics metrics() {
    return metrics;
  }

  RunningPrograms running() {
    return running;
  }

  /** A free name for the pipe that a held child waits at. */
  Path freeGate() {
    return runDir.resolve(Orphans.GATE_PREFIX + names.incrementAndGet());
  }

  /** A free name for the directory of an {@link OpenedProgram}. */
  Path freePlace() {
    return runDir.resolve(Orphans.PINNED_PREFIX + names.incrementAndGet());
  }

  /** The name of this host, which a user of the other one may not know. */
  String hostName() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
    } catch (IOException e) {
      return "the server";
    }
  }
}
