package qtfs.linux;

import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/**
 * What libraries and dying threads would write to standard error by themselves, in lines of their
 * own making: led into the {@link Log}, so that whoever reads it finds nothing but log lines.
 */
public final class StrayOutput {
  private static final int FRAMES = 8;

  private StrayOutput() {}

  /** Leads it there from now on; once, at the start of a program. */
  public static void intoLog() {
    LogManager.getLogManager().reset(); // the handler that writes to standard error
    Logger.getLogger("").addHandler(new ToLog());
    Thread.setDefaultUncaughtExceptionHandler(
        (thread, e) -> Log.error("thread " + thread.getName() + " has died: " + text(e)));
  }

  /** The exception and where it comes from, in one line. */
  static String text(Throwable e) {
    List<String> parts = new ArrayList<>();
    for (Throwable t = e; t != null && parts.size() < FRAMES; t = t.getCause()) {
      parts.add(t.toString());
      for (StackTraceElement frame : t.getStackTrace()) {
        if (parts.size() < FRAMES) {
          parts.add("at " + frame);
        }
      }
    }
    return String.join(" | ", parts);
  }

  /** Takes what is logged by java.util.logging, as Netty does. */
  private static final class ToLog extends Handler {
    private final SimpleFormatter formatter = new SimpleFormatter();

    @Override
    public void publish(LogRecord entry) {
      Throwable thrown = entry.getThrown();
      String message = formatter.formatMessage(entry) + (thrown == null ? "" : ": " + text(thrown));
      int level = entry.getLevel().intValue();
      if (level >= Level.SEVERE.intValue()) {
        Log.error(message);
      } else if (level >= Level.WARNING.intValue()) {
        Log.warn(message);
      } else {
        Log.debug(message);
      }
    }

    @Override
    public void flush() {
      // each line is written at once
    }

    @Override
    public void close() {
      // standard error stays
    }
  }
}
