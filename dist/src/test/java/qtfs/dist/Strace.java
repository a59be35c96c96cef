package qtfs.dist;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import qtfs.testing.Await;

/**
 * strace(1), attached to a running process; closing detaches it, and leaves the process as it was.
 */
final class Strace implements Closeable {
  private static final long LIMIT_SECONDS = 30;

  private final Process strace;
  private final Path trace;

  private Strace(Process strace, Path trace) {
    this.strace = strace;
    this.trace = trace;
  }

  /** Skips the test, aloud, where a process cannot be traced. */
  static void need() throws InterruptedException {
    Programs.need("strace", "strace");
    TwoHosts.skipUnless(
        TwoHosts.succeeds("strace", "-o", "/dev/null", "true"),
        "ptrace(2) is not allowed here: run on a machine or in a container with CAP_SYS_PTRACE");
  }

  /** The options that have it tell these calls, with commas between, of all threads. */
  static List<String> options(String calls) {
    return List.of("-f", "-e", "signal=none", "-e", "trace=" + calls);
  }

  /**
   * Attaches it.
   *
   * @param options what to trace, and how
   * @param directory for what it writes
   */
  static Strace attach(long pid, List<String> options, Path directory) throws Exception {
    Path trace = Files.createTempFile(directory, "trace", ".out");
    Path errors = Files.createTempFile(directory, "trace", ".err");
    List<String> command = new ArrayList<>(List.of("strace"));
    command.addAll(options);
    command.addAll(List.of("-o", trace.toString(), "-p", Long.toString(pid)));
    Process strace = new ProcessBuilder(command).redirectError(errors.toFile()).start();
    Await.until(
        "strace is attached to " + pid,
        () -> {
          assertThat(strace.isAlive()).as("strace: %s", Files.readString(errors)).isTrue();
          return Files.readString(errors).contains("attached");
        });
    return new Strace(strace, trace);
  }

  /** What it has written so far; all of it, once it is closed. */
  String text() throws IOException {
    return text(trace);
  }

  /** What a strace has written; bytes that are no UTF-8 are replaced. */
  static String text(Path trace) throws IOException {
    return new String(Files.readAllBytes(trace), UTF_8);
  }

  @Override
  public void close() {
    strace.destroy();
    try {
      if (!strace.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
        strace.destroyForcibly();
        throw new AssertionError("strace does not let go");
      }
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted", e);
    }
  }
}
