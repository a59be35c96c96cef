package qtfs.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * cc(1), for what tests have in C. What it makes comes to its place whole, because another JVM of
 * the same build may make, or use, the same file at this moment. Where there is no compiler the
 * test is skipped; a source that does not compile is an error.
 */
public final class CCompiler {
  private static final Path BUILD = Path.of("target").toAbsolutePath();
  private static final int PATIENCE_SECONDS = 120;

  private CCompiler() {}

  /** A library for LD_PRELOAD in the target directory of the module under test; once a build. */
  public static Path library(Path source) throws IOException {
    Path library = BUILD.resolve(source.getFileName().toString().replace(".c", ".so"));
    if (!isNewer(library, source)) {
      compile(source, library, List.of("-O1", "-shared", "-fPIC"), List.of("-ldl"));
    }
    return library;
  }

  /** A program in a directory of the test's own. */
  public static Path program(Path source, Path directory) throws IOException {
    Path program = directory.resolve(source.getFileName().toString().replace(".c", ""));
    compile(source, program, List.of("-std=c11", "-pthread"), List.of());
    return program;
  }

  private static boolean isNewer(Path made, Path source) throws IOException {
    return Files.exists(made)
        && Files.getLastModifiedTime(made).compareTo(Files.getLastModifiedTime(source)) > 0;
  }

  private static void compile(Path source, Path made, List<String> options, List<String> libraries)
      throws IOException {
    Path beside = Files.createTempFile(made.getParent(), made.getFileName() + ".", "");
    List<String> command = new ArrayList<>(List.of("cc", "-Wall", "-Wextra", "-Werror"));
    command.addAll(options);
    command.addAll(List.of("-o", beside.toString(), source.toString()));
    command.addAll(libraries);
    try {
      run(command);
      Files.move(beside, made, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(beside);
    }
  }

  private static void run(List<String> command) {
    Process cc;
    try {
      cc = new ProcessBuilder(command).inheritIO().start();
    } catch (IOException e) {
      throw Skip.because("no C compiler, " + e.getMessage() + ": apt-get install gcc libc6-dev");
    }
    int code = cc.onExit().orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS).join().exitValue();
    if (code != 0) {
      throw new AssertionError("ended with " + code + ": " + command);
    }
  }
}
