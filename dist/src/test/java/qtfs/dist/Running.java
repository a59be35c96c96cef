package qtfs.dist;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A command that was started on a host, its standard output and error in files.
 *
 * <p>The process is the command itself, not a wrapper: its pid, its signals and its exit code are
 * what the test sees.
 */
record Running(List<String> command, Process process, Path stdout, Path stderr) {
  /** Far beyond what any of them needs, so that only a hang meets it. */
  private static final Duration LIMIT = Duration.ofMinutes(2);

  /** What a command left behind. */
  record Result(int code, String output, String stderr) {
    @Override
    public String toString() {
      return "code %d, %d characters of output: %.300s, errors: %.1000s"
          .formatted(code, output.length(), output, stderr);
    }
  }

  long pid() {
    return process.pid();
  }

  /** Waits for the end; a command that hangs is killed, and fails the test. */
  Result result() throws IOException, InterruptedException {
    return result(LIMIT);
  }

  /** The same for a command that has more to do. */
  Result result(Duration limit) throws IOException, InterruptedException {
    if (!process.waitFor(limit.toSeconds(), TimeUnit.SECONDS)) {
      process.destroyForcibly().waitFor();
      throw new AssertionError(
          "hung: %s\nstdout, %d bytes: %.200s\nstderr: %s"
              .formatted(command, Files.size(stdout), output(), errors()));
    }
    return new Result(process.exitValue(), output(), errors());
  }

  /** Standard output so far. */
  String output() {
    return read(stdout);
  }

  /** Standard error so far. */
  String errors() {
    return read(stderr);
  }

  void signal(String name) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + name, Long.toString(pid())).inheritIO().start().waitFor();
  }

  private static String read(Path file) {
    try {
      return new String(Files.readAllBytes(file), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
