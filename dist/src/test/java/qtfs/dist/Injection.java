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
import java.util.stream.Stream;
import qtfs.testing.Await;

/**
 * One system call that fails, in every thread of a running process the n-th time that it makes it:
 * strace(1), attached. Closing detaches it, and leaves the process as it was.
 */
final class Injection implements Closeable {
  private static final long LIMIT_SECONDS = 30;

  private final Process strace;
  private final Path trace;

  private Injection(Process strace, Path trace) {
    this.strace = strace;
    this.trace = trace;
  }

  /**
   * What is to fail.
   *
   * @param call the system call's name
   * @param errno the error's name
   */
  record Fault(String call, String errno) {
    /**
     * The faults of a call.
     *
     * @param call a name and what the kernel can answer, the likeliest first: by default that one
     *     alone, with {@code -Dqtfs.faults.all=true} all
     */
    static Stream<Fault> of(List<String> call) {
      return call.stream()
          .skip(1)
          .limit(all() ? Integer.MAX_VALUE : 1)
          .map(errno -> new Fault(call.getFirst(), errno));
    }

    /** Whether this is the long version. */
    static boolean all() {
      return Boolean.getBoolean("qtfs.faults.all");
    }

    /** The options of strace that make it fail the n-th time, counted from 1. */
    List<String> options(int n) {
      return List.of(
          "-f",
          "-e",
          "signal=none",
          "-e",
          "trace=" + call,
          "-e",
          "inject=" + call + ":error=" + errno + ":when=" + n + delay());
    }

    /** The child that is to be watched shall have come to where it waits. */
    private String delay() {
      return call.equals("pidfd_open") ? ":delay_enter=100000" : "";
    }

    @Override
    public String toString() {
      return call + " " + errno;
    }
  }

  /** Skips the test, aloud, where a process cannot be traced. */
  static void need() throws InterruptedException {
    Programs.need("strace", "strace");
    TwoHosts.skipUnless(
        TwoHosts.succeeds("strace", "-o", "/dev/null", "true"),
        "ptrace(2) is not allowed here: run on a machine or in a container with CAP_SYS_PTRACE");
  }

  static Injection into(long pid, Fault fault, int n, Path directory) throws Exception {
    Path trace = Files.createTempFile(directory, "trace", ".out");
    Path errors = Files.createTempFile(directory, "trace", ".err");
    List<String> command = new ArrayList<>(List.of("strace"));
    command.addAll(fault.options(n));
    if (!fault.call.equals("execve")) {
      // A child is let go of when it becomes another program, which is not what is tested.
      command.addAll(List.of("-b", "execve"));
    }
    command.addAll(List.of("-o", trace.toString(), "-p", Long.toString(pid)));
    Process strace = new ProcessBuilder(command).redirectError(errors.toFile()).start();
    Await.until(
        "strace is attached to " + pid,
        () -> {
          assertThat(strace.isAlive()).as("strace: %s", Files.readString(errors)).isTrue();
          return Files.readString(errors).contains("attached");
        });
    return new Injection(strace, trace);
  }

  /** Whether any call has failed for it. */
  boolean hasStruck() throws IOException {
    return hasStruck(trace);
  }

  static boolean hasStruck(Path trace) throws IOException {
    return new String(Files.readAllBytes(trace), UTF_8).contains("(INJECTED)");
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
