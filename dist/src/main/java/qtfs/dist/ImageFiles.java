package qtfs.dist;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The files of an install image as the build steps treat them: all at once, in a fixed order. */
final class ImageFiles {
  private static final Set<PosixFilePermission> PROGRAM =
      PosixFilePermissions.fromString("rwxr-xr-x");
  private static final Set<PosixFilePermission> FILE = PosixFilePermissions.fromString("rw-r--r--");

  private ImageFiles() {}

  /** All regular files below a directory, sorted; links are not followed. */
  static List<Path> below(Path root) throws IOException {
    if (!Files.exists(root)) {
      return List.of();
    }
    try (Stream<Path> all = Files.walk(root)) {
      return all.filter(path -> Files.isRegularFile(path)).sorted().toList();
    }
  }

  /**
   * Gives all files and directories the modes and the time that they will be installed with.
   *
   * <p>The time matters: a JVM takes an AOT cache only if its jars and its runtime are as old as
   * they were when it was written, and packages set one time for all.
   */
  static void settle(Path root, FileTime time) throws IOException {
    try (Stream<Path> all = Files.walk(root)) {
      all.filter(path -> !Files.isSymbolicLink(path))
          .forEach(
              path -> {
                try {
                  boolean program = Files.isExecutable(path) || isScript(path);
                  Files.setPosixFilePermissions(path, program ? PROGRAM : FILE);
                  Files.setLastModifiedTime(path, time);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
    }
  }

  /** What the plugin that copies resources has taken the mode of. */
  private static boolean isScript(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return in.read() == '#' && in.read() == '!';
    }
  }

  /** A digest of the contents of these files, and of their names below a directory. */
  static String digest(List<Path> files, Path root) throws IOException {
    MessageDigest digest = sha256();
    for (Path file : files) {
      String header = root.relativize(file) + "\n" + Files.size(file) + "\n";
      digest.update(header.getBytes(UTF_8));
      update(digest, file);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  static String sha256(Path file) throws IOException {
    MessageDigest digest = sha256();
    update(digest, file);
    return HexFormat.of().formatHex(digest.digest());
  }

  private static void update(MessageDigest digest, Path file) throws IOException {
    try (OutputStream out = new DigestOutputStream(OutputStream.nullOutputStream(), digest)) {
      Files.copy(file, out);
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  static void deleteTree(Path root) throws IOException {
    if (!Files.exists(root)) {
      return;
    }
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes ignored)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failure)
              throws IOException {
            Files.delete(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
