package qtfs.udsproxy;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The daemon's answers as lines for people. */
final class CtlText {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss").withZone(ZoneId.systemDefault());

  private CtlText() {}

  /** An object of an answer: what it has not is an empty text. */
  private record Values(Map<?, ?> members) {
    String text(String name) {
      Object value = members.get(name);
      return value == null ? "" : value.toString();
    }

    String time(String name) {
      return TIME.format(Instant.parse(text(name)));
    }

    long number(String name) {
      return members.get(name) instanceof Long number ? number : 0;
    }

    Values object(String name) {
      return new Values(members.get(name) instanceof Map<?, ?> map ? map : Map.of());
    }

    List<Values> objects(String name) {
      List<Values> objects = new ArrayList<>();
      if (members.get(name) instanceof List<?> list) {
        for (Object element : list) {
          objects.add(new Values(element instanceof Map<?, ?> map ? map : Map.of()));
        }
      }
      return objects;
    }
  }

  /** The lines of one command's answer. */
  static List<String> of(String command, Map<String, @Nullable Object> members) {
    Values answer = new Values(members);
    return switch (command) {
      case "expose" -> List.of("exposed at " + answer.object("exposed").text("local"));
      case "unexpose" -> List.of("not exposed any more at " + answer.text("local"));
      case "exposed" -> exposed(answer.objects("exposed"));
      case "sessions" -> sessions(answer.objects("sessions"));
      case "status" -> status(answer.object("status"));
      case "drain" -> List.of("takes no new sessions; sessions left: " + answer.text("sessions"));
      case "log-level" ->
          List.of(answer.text("before") + " before, now " + answer.text("logLevel"));
      default -> throw new IllegalStateException("no command " + command);
    };
  }

  private static List<String> exposed(List<Values> list) {
    Map<String, Function<Values, String>> columns = new LinkedHashMap<>();
    columns.put("LOCAL", one -> one.text("local"));
    columns.put("PEER", one -> one.text("peer"));
    columns.put("TYPE", one -> one.text("type"));
    columns.put("MODE", one -> one.text("mode"));
    columns.put("OWNER", one -> one.text("owner"));
    columns.put("GROUP", one -> one.text("group"));
    columns.put("SINCE", one -> one.time("since"));
    columns.put("CLIENTS", one -> one.text("clients"));
    columns.put("STATE", one -> one.text("reachable").equals("true") ? "listens" : "file is gone");
    return table(columns, list);
  }

  private static List<String> sessions(List<Values> list) {
    Map<String, Function<Values, String>> columns = new LinkedHashMap<>();
    columns.put("SESSION", one -> one.text("number"));
    columns.put("DIRECTION", one -> one.text("direction"));
    columns.put("WHO", one -> who(one.object("requester")));
    columns.put("PATH", one -> one.text("path"));
    columns.put("PEER", one -> one.text("peer"));
    columns.put("SINCE", one -> one.time("since"));
    columns.put("IDLE", one -> one.number("idleMillis") / 1000 + "s");
    columns.put("TO-PEER", one -> one.text("bytesToPeer"));
    columns.put("FROM-PEER", one -> one.text("bytesFromPeer"));
    columns.put("FDS", one -> one.number("fdsToPeer") + one.number("fdsFromPeer") + "");
    columns.put("DIALECT", one -> one.text("dialect"));
    return table(columns, list);
  }

  private static String who(Values requester) {
    return requester.members().isEmpty()
        ? ""
        : requester.text("command")
            + "["
            + requester.text("pid")
            + "] uid "
            + requester.text("uid");
  }

  private static List<String> status(Values status) {
    List<String> lines = new ArrayList<>();
    status.members().forEach((name, value) -> lines.add("%-20s %s".formatted(name, value)));
    return lines;
  }

  /** A heading and a line for each object, in columns; what is empty is a hyphen. */
  private static List<String> table(
      Map<String, Function<Values, String>> columns, List<Values> of) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.copyOf(columns.keySet()));
    for (Values one : of) {
      rows.add(
          columns.values().stream()
              .map(column -> column.apply(one))
              .map(text -> text.isEmpty() ? "-" : text)
              .toList());
    }
    int[] widths = new int[columns.size()];
    for (List<String> row : rows) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    return rows.stream().map(row -> line(row, widths)).toList();
  }

  private static String line(List<String> row, int[] widths) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < widths.length; i++) {
      line.append(row.get(i)).repeat(' ', widths[i] - row.get(i).length() + 2);
    }
    return line.toString().stripTrailing();
  }
}
