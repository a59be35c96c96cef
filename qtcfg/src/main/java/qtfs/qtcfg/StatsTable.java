package qtfs.qtcfg;

import java.util.ArrayList;
import java.util.List;

/** The counters of a module that are not 0, as a table for people. */
final class StatsTable {
  private static final int FIRST = 12;
  private static final int OTHER = 14;

  private StatsTable() {}

  static List<String> lines(QtInfo info) {
    List<String> lines = new ArrayList<>();
    QtInfo.Counters counters = info.counters();
    lines.add("role " + info.role().word() + ", log level " + QtinfoCommands.name(info.logLevel()));
    lines.add(
        "connections "
            + counters.active()
            + " active, epoll "
            + counters.epollAdded()
            + " added "
            + counters.epollDeleted()
            + " deleted");
    boolean client = info.role() == Role.CLIENT;
    if (client) {
      lines.add(
          "errors: epoll "
              + counters.epollErrors()
              + ", sequence "
              + counters.sequenceErrors()
              + ", restarted calls "
              + counters.restarts()
              + ", types "
              + counters.typeMismatches());
    }
    lines.add(
        client
            ? row("event", "sent", "received", "send errors", "recv errors", "check errors")
            : row("event", "received", "sent", "check errors"));
    for (int i = 0; i < QtInfo.EVENTS.size(); i++) {
      List<Long> values =
          client
              ? List.of(
                  info.sent().get(i),
                  info.received().get(i),
                  info.sendErrors().get(i),
                  info.receiveErrors().get(i),
                  info.check().get(i))
              : List.of(info.received().get(i), info.sent().get(i), info.check().get(i));
      if (values.stream().anyMatch(value -> value != 0)) {
        List<String> cells = new ArrayList<>(List.of(QtInfo.EVENTS.get(i)));
        values.forEach(value -> cells.add(Long.toUnsignedString(value)));
        lines.add(row(cells.toArray(new String[0])));
      }
    }
    return lines;
  }

  /** Cells in columns. */
  static String row(String... cells) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < cells.length; i++) {
      out.append(cells[i]);
      if (i < cells.length - 1) {
        int width = i == 0 ? FIRST : OTHER;
        out.repeat(' ', Math.max(1, width - cells[i].length()));
      }
    }
    return out.toString();
  }
}
