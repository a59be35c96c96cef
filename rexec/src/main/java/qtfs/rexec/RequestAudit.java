package qtfs.rexec;

import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Audit;
import qtfs.linux.ByteStrings;
import qtfs.linux.ExitStatus;
import qtfs.linux.Log;
import qtfs.linux.UnixSocket;

/**
 * The line that is written for a request, whatever becomes of it: who, what, allowed by which rule
 * or refused why, and how it ended. Collected by the thread of the session and written by {@link
 * #close}, once; a connection that asked for nothing leaves none.
 */
final class RequestAudit implements Closeable {
  static final String EVENT = "request";

  /** Arguments may be a megabyte. */
  private static final int MOST_CHARS = 1000;

  private final Audit line;
  private final long begun = System.nanoTime();
  private final ServerMetrics metrics;
  private long startedAt;

  /** Null until something is asked for. */
  private @Nullable Outcome outcome;

  private @Nullable Refusal refusal;

  /**
   * Begins with the connection.
   *
   * @param metrics where the same is counted
   */
  RequestAudit(UnixSocket.Credentials who, ServerMetrics metrics) {
    this.metrics = metrics;
    line =
        Audit.of(EVENT)
            .with("uid", who.uid())
            .with("requester", who.pid())
            .with("comm", command(who.pid()));
  }

  /** {@code udsproxyd} for who asks from the other host: its own log knows the peer. */
  private static String command(int pid) {
    try {
      byte[] name = pid == 0 ? new byte[0] : Files.readAllBytes(Path.of("/proc/" + pid + "/comm"));
      return new String(name, StandardCharsets.UTF_8).strip();
    } catch (IOException goneOrOutOfDescriptors) {
      return "";
    }
  }

  /** What is asked. */
  void asked(List<String> arguments) {
    outcome = Outcome.FAILED;
    line.with("program", cut(ByteStrings.text(arguments.getFirst())));
    line.with("arguments", words(arguments.subList(1, arguments.size())));
  }

  /** Quoted as far as they would be read as another number of words. */
  private static String words(List<String> arguments) {
    StringBuilder out = new StringBuilder();
    for (String argument : arguments) {
      if (out.length() > MOST_CHARS) {
        break;
      }
      String text = ByteStrings.text(argument);
      boolean plain = !text.isEmpty() && text.indexOf(' ') < 0 && text.indexOf('\'') < 0;
      out.append(out.isEmpty() ? "" : " ");
      out.append(plain ? text : "'" + text.replace("'", "'\\''") + "'");
    }
    return cut(out.toString());
  }

  private static String cut(String text) {
    return text.length() <= MOST_CHARS
        ? text
        : text.substring(0, text.offsetByCodePoints(0, text.codePointCount(0, MOST_CHARS))) + "...";
  }

  void decided(Decision decision) {
    line.with("rule", decision.rule());
    switch (decision) {
      case Decision.Refused(_, Refusal kind, String reason, String remedy) -> {
        refused(kind, reason);
        if (!remedy.isEmpty()) {
          line.with("would_allow", cut(remedy));
        }
      }
      case Decision.Allowed(_, @Nullable String user, _) -> {
        if (user != null) {
          line.with("user", user);
        }
      }
    }
  }

  private void refused(Refusal kind, String reason) {
    refusal = kind;
    outcome = Outcome.REFUSED;
    line.with("reason", cut(reason));
  }

  void explained() {
    outcome = Outcome.EXPLAINED;
  }

  void calledOff() {
    outcome = Outcome.CALLED_OFF;
  }

  /** There is a process. */
  void child(int pid) {
    line.with("pid", pid);
  }

  /** The process is the program now. */
  void started() {
    startedAt = System.nanoTime();
    metrics.started(startedAt - begun);
  }

  /** The program could not be executed, or what else went wrong; nothing after its end. */
  void failed(String reason) {
    if (outcome == Outcome.FAILED) {
      line.with("reason", cut(reason));
    }
  }

  /**
   * The program has ended.
   *
   * @param terminal that it had, null for none
   */
  void ended(Supervision.Outcome how, @Nullable ProgramTerminal terminal) {
    metrics.ended(how.status(), System.nanoTime() - startedAt);
    if (how.clientGone()) {
      outcome = Outcome.ABANDONED;
    } else {
      outcome = how.timedOut() ? Outcome.TIMED_OUT : Outcome.ENDED;
    }
    switch (how.status()) {
      case ExitStatus.Exited(int code) -> line.with("code", code);
      case ExitStatus.Killed(int signal) -> line.with("signal", signal);
    }
    if (terminal == null) {
      line.withUnknown("stdin_bytes").withUnknown("stdout_bytes");
    } else {
      copied(terminal);
    }
    // A pipe of its own, or among what the terminal has written.
    line.withUnknown("stderr_bytes");
  }

  private void copied(ProgramTerminal terminal) {
    line.with("stdin_bytes", terminal.bytesIn()).with("stdout_bytes", terminal.bytesOut());
    metrics.copied(ServerMetrics.Stream.STDIN, terminal.bytesIn());
    metrics.copied(ServerMetrics.Stream.STDOUT, terminal.bytesOut());
  }

  @Override
  public void close() {
    if (outcome != null) {
      count(outcome);
      Log.audit(
          line.with("outcome", outcome.word()).withSeconds("seconds", System.nanoTime() - begun));
    }
  }

  private void count(Outcome known) {
    metrics.requested(known);
    if (known == Outcome.REFUSED && refusal != null) {
      metrics.refused(refusal);
    }
  }
}
