package qtfs.rexec;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import qtfs.linux.ByteStrings;
import qtfs.whitelist.RexecWhitelist;

/** What all sessions of a server share. Safe from any thread. */
final class ServerContext {
  private final RexecWhitelist whitelist;
  private final Path whitelistFile;
  private final Path runDir;
  private final @Nullable String searchPath;
  private final List<String> childEnvironment;
  private final Children children = new Children();
  private final AtomicLong gates = new AtomicLong();

  /**
   * Describes a server.
   *
   * @param runDir which it has for itself
   * @param environment its own, byte strings
   */
  ServerContext(
      RexecWhitelist whitelist, Path whitelistFile, Path runDir, List<String> environment) {
    this.whitelist = whitelist;
    this.whitelistFile = whitelistFile;
    this.runDir = runDir;
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

  /** Whether a client may run the program of this name, a byte string. */
  boolean isAllowed(String name) {
    String text = ByteStrings.text(name);
    // Bytes that are not UTF-8 become something else, which somebody might have allowed.
    return ByteStrings.of(text).equals(name) && whitelist.allows(text);
  }

  Path whitelistFile() {
    return whitelistFile;
  }

  Program find(String name) {
    return Program.find(name, searchPath);
  }

  List<String> childEnvironment() {
    return childEnvironment;
  }

  Children children() {
    return children;
  }

  /** A free name for the pipe that a held child waits at. */
  Path freeGate() {
    return runDir.resolve(Orphans.GATE_PREFIX + gates.incrementAndGet());
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
