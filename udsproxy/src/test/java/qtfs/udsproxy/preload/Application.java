package qtfs.udsproxy.preload;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import qtfs.testing.CCompiler;
import qtfs.testing.Skip;

/**
 * The program {@code src/test/c/application.c}, compiled into a directory, and how it is run under
 * the preload library that the build has left.
 *
 * @param program the executable
 * @param library the one to preload
 */
record Application(Path program, Path library) {
  private static final int LIMIT_SECONDS = 60;

  /** Compiles it; skips the test, aloud, where nothing can. */
  static Application compile(Path directory) throws IOException {
    Path module = Path.of(System.getProperty("basedir", "")).toAbsolutePath();
    Path library = module.resolve("target/libudsproxy.so");
    Skip.unless(Files.exists(library), "no C compiler: apt-get install gcc libc6-dev");
    Path program = CCompiler.program(module.resolve("src/test/c/application.c"), directory);
    return new Application(program, library);
  }

  /** Starts it; its standard output is a pipe. */
  Process start(Path runDir, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(program.toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.redirectInput(new File("/dev/null"));
    builder.redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().put("LD_PRELOAD", library.toString());
    builder.environment().put("QTFS_RUN_DIR", runDir.toString());
    return builder.start();
  }

  /** Runs it to its end; what it printed. */
  List<String> run(Path runDir, String... arguments) throws IOException, InterruptedException {
    return output(start(runDir, arguments));
  }

  /** What it prints until its end, which is code 0. */
  static List<String> output(Process process) throws IOException, InterruptedException {
    try {
      List<String> lines =
          new String(process.getInputStream().readAllBytes(), UTF_8).lines().toList();
      if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
        throw new AssertionError("the application says " + lines + " and ends with " + process);
      }
      return lines;
    } finally {
      process.destroyForcibly();
    }
  }
}
