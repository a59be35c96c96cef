package qtfs.rexec;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;

/** The files of a policy in a directory of a test. */
final class Policies {
  private final Path dir;

  Policies(Path dir) throws IOException {
    this.dir = dir;
    Files.createDirectories(dir.resolve("policy.d"));
  }

  PolicyFiles files() {
    return PolicyFiles.beside(dir.resolve("whitelist"));
  }

  Policies whitelist(String... programs) throws IOException {
    replace(dir.resolve("whitelist"), String.join("\n", programs) + "\n");
    return this;
  }

  Policies rules(String text) throws IOException {
    replace(dir.resolve("policy.d/test.policy"), text);
    return this;
  }

  Policies config(String text) throws IOException {
    replace(dir.resolve("rexec_server.conf"), text);
    return this;
  }

  /** As an editor does it, so that nobody reads half of it. */
  private static void replace(Path file, String text) throws IOException {
    Path copy = Files.writeString(file.resolveSibling("." + file.getFileName()), text);
    Files.move(copy, file, StandardCopyOption.ATOMIC_MOVE);
  }

  Policy load() throws PolicyFiles.BrokenException {
    return files().load();
  }

  /** An executable script. */
  static Path script(Path file, String text) throws IOException {
    Files.writeString(file, text);
    Files.setAttribute(file, "unix:mode", 0755);
    return file;
  }

  static String sha256(Path file) throws Exception {
    return HexFormat.of()
        .formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
  }

  /** Wishes for variables. */
  static Wishes environment(String... variables) {
    return new Wishes(null, List.of(variables), false, null, 0, null, null, null, List.of());
  }

  static Wishes user(String user) {
    return new Wishes(null, List.of(), false, user, 0, null, null, null, List.of());
  }

  static Wishes nice(int nice) {
    return new Wishes(null, List.of(), false, null, nice, null, null, null, List.of());
  }
}
