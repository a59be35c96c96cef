package qtfs.udsproxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.List;
import qtfs.testing.Await;

/** What this process writes to its log, from the opening to the closing of this. */
final class CapturedLog implements AutoCloseable {
  private final ByteArrayOutputStream written = new ByteArrayOutputStream();
  private final PrintStream before = System.err;

  CapturedLog() {
    System.setErr(new PrintStream(written, true, UTF_8));
  }

  String text() {
    return written.toString(UTF_8);
  }

  /** The audit lines of an event, without what is before its name. */
  List<String> audit(String event) {
    return text()
        .lines()
        .filter(line -> line.contains(" AUDIT " + event + " "))
        .map(line -> line.substring(line.indexOf(event)))
        .toList();
  }

  /** The only audit line of an event, waited for. */
  String only(String event) throws Exception {
    Await.until(event + " in the log", () -> !audit(event).isEmpty());
    List<String> lines = audit(event);
    if (lines.size() > 1) {
      throw new AssertionError("more than one: " + lines);
    }
    return lines.getFirst();
  }

  @Override
  public void close() {
    System.setErr(before);
    System.err.print(text());
  }
}
