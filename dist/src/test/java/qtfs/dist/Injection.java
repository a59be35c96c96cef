package qtfs.dist;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * One system call that fails, in every thread of a running process the n-th time that it makes it:
 * strace(1), attached. Closing detaches it, and leaves the process as it was.
 */
final class Injection implements Closeable {
  private final Strace strace;

  private Injection(Strace strace) {
    this.strace = strace;
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
      List<String> options = new ArrayList<>(Strace.options(call));
      options.addAll(List.of("-e", "inject=" + call + ":error=" + errno + ":when=" + n + delay()));
      return options;
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

  /** Begins; what strace writes is kept in a directory. */
  static Injection into(long pid, Fault fault, int n, Path directory) throws Exception {
    List<String> options = new ArrayList<>(fault.options(n));
    if (!fault.call.equals("execve")) {
      // A child is let go of when it becomes another program, which is not what is tested.
      options.addAll(List.of("-b", "execve"));
    }
    return new Injection(Strace.attach(pid, options, directory));
  }

  /** Whether any call has failed for it. */
  boolean hasStruck() throws IOException {
    return hasStruck(strace.text());
  }

  /** Whether any call has failed, by what strace has written. */
  static boolean hasStruck(String trace) {
    return trace.contains("(INJECTED)");
  }

  @Override
  public void close() {
    strace.close();
  }
}
