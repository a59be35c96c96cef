package qtfs.qtcfg;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;
import qtfs.linux.Terminal;

/**
 * The live view: how many events a second, of which kind. On a terminal it is drawn over and over
 * in one place; otherwise each look is one line, or one JSON object. Ends after its count, when
 * nobody reads any more, or with the process.
 */
final class Top {
  private static final String HOME = "\u001b[H";
  private static final String CLEAR = "\u001b[2J";
  private static final String END_OF_LINE = "\u001b[K\n";
  private static final String END_OF_SCREEN = "\u001b[J";
  private static final int LISTED = 5;

  private final Device device;
  private final Console console;
  private final boolean json;
  private final boolean terminal;

  Top(Device device, Console console, boolean json) {
    this.device = device;
    this.console = console;
    this.json = json;
    this.terminal = !json && Terminal.isTerminal(1);
  }

  /** The rates of one kind of events. */
  private record Rate(String event, double sent, double received) {
    double total() {
      return sent + received;
    }
  }

  int run(long interval, int count) throws ToolException {
    if (terminal) {
      console.print(CLEAR);
    }
    QtInfo before = QtinfoCommands.info(device);
    long then = System.nanoTime();
    for (int i = 0; i < count && !console.isBroken(); i++) {
      await(then + interval);
      QtInfo after = QtinfoCommands.info(device);
      long now = System.nanoTime();
      show(after, rates(before, after, (now - then) / 1e9));
      console.flush();
      before = after;
      then = now;
    }
    return ExitCode.OK;
  }

  private static void await(long deadline) {
    for (long left = deadline - System.nanoTime(); left > 0; left = deadline - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }

  /** Of the events that happened, the most frequent first; after a clear, of those since. */
  private static List<Rate> rates(QtInfo before, QtInfo after, double seconds) {
    List<Rate> rates = new ArrayList<>();
    for (int i = 0; i < QtInfo.EVENTS.size(); i++) {
      double sent = since(before.sent().get(i), after.sent().get(i)) / seconds;
      double received = since(before.received().get(i), after.received().get(i)) / seconds;
      if (sent + received > 0) {
        rates.add(new Rate(QtInfo.EVENTS.get(i), sent, received));
      }
    }
    rates.sort(Comparator.comparingDouble(Rate::total).reversed());
    return rates;
  }

  private static double since(long before, long after) {
    return after >= before ? after - before : after;
  }

  private static long errors(QtInfo info) {
    long sum = 0;
    for (List<Long> counts : List.of(info.sendErrors(), info.receiveErrors(), info.check())) {
      for (long count : counts) {
        sum += count;
      }
    }
    return sum;
  }

  private void show(QtInfo info, List<Rate> rates) {
    if (json) {
      console.println(json(info, rates));
    } else if (terminal) {
      draw(info, rates);
    } else {
      console.println(line(info, rates));
    }
  }

  private static String summary(QtInfo info, List<Rate> rates) {
    return "active "
        + info.counters().active()
        + ", in use "
        + info.busy()
        + ", sent "
        + number(rates.stream().mapToDouble(Rate::sent).sum())
        + "/s, received "
        + number(rates.stream().mapToDouble(Rate::received).sum())
        + "/s, errors so far "
        + errors(info);
  }

  private static String line(QtInfo info, List<Rate> rates) {
    StringBuilder out = new StringBuilder(summary(info, rates));
    for (Rate rate : rates.subList(0, Math.min(LISTED, rates.size()))) {
      out.append(", ").append(rate.event()).append(' ').append(number(rate.total())).append("/s");
    }
    return out.toString();
  }

  private void draw(QtInfo info, List<Rate> rates) {
    console.print(HOME).print(device.path()).print(END_OF_LINE);
    console.print(summary(info, rates)).print(END_OF_LINE).print(END_OF_LINE);
    console.print(StatsTable.row("event", "sent/s", "received/s")).print(END_OF_LINE);
    for (Rate rate : rates) {
      String row = StatsTable.row(rate.event(), number(rate.sent()), number(rate.received()));
      console.print(row).print(END_OF_LINE);
    }
    console.print(END_OF_SCREEN);
  }

  private String json(QtInfo info, List<Rate> rates) {
    return Json.line(
        out -> {
          QtcfgCommands.module(out, device);
          out.writeNumberField("activeConnections", info.counters().active());
          out.writeNumberField("inUse", info.busy());
          out.writeNumberField("errors", errors(info));
          out.writeObjectFieldStart("rates");
          for (Rate rate : rates) {
            out.writeObjectFieldStart(rate.event());
            out.writeNumberField("sent", rate.sent());
            out.writeNumberField("received", rate.received());
            out.writeEndObject();
          }
          out.writeEndObject();
        });
  }

  private static String number(double rate) {
    return String.format(Locale.ROOT, "%.1f", rate);
  }
}
