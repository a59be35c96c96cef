package qtfs.udsproxy;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The class path of the tests in jars, as what is installed has it: a process that has run out of
 * descriptors can still read a jar that it has open, but no class file of a directory.
 */
final class Jars {
  private static @Nullable String classPath;

  private Jars() {}

  /** The directories of the class path packed, once a test run, and its jars as they are. */
  static synchronized String classPath() throws IOException {
    String made = classPath;
    if (made == null) {
      StringBuilder all = new StringBuilder();
      Pattern separator = Pattern.compile(File.pathSeparator);
      for (String entry : separator.split(System.getProperty("java.class.path"))) {
        Path path = Path.of(entry);
        all.append(Files.isDirectory(path) ? pack(path) : path).append(File.pathSeparator);
      }
      made = all.toString();
      classPath = made;
    }
    return made;
  }

  private static Path pack(Path directory) throws IOException {
    Path jar = Files.createTempFile("classes", ".jar");
    jar.toFile().deleteOnExit();
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
      out.setLevel(0);
      for (Path file : files(directory)) {
        out.putNextEntry(new JarEntry(directory.relativize(file).toString()));
        Files.copy(file, out);
        out.closeEntry();
      }
    }
    return jar;
  }

  private static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files.filter(Files::isRegularFile).collect(Collectors.toList());
    }
  }
}
