package qtfs.qtcfg;

import java.util.List;

/** {@link QtInfo} in the words and columns of the C programs. */
final class InfoText {
  private static final int IN_A_ROW = 3;

  private final StringBuilder out = new StringBuilder();

  private InfoText() {}

  /** What {@code qtinfo -a} prints. */
  static String all(QtInfo info) {
    InfoText text = new InfoText();
    text.header("++++++++++++++++++++++++++send events count++++++++++++++++++++++++++");
    text.events(info.sent(), "Send events total: ");
    text.header("++++++++++++++++++++++++++recv events count++++++++++++++++++++++++++");
    text.events(info.received(), "Recv events total: ");
    if (info.role() == Role.CLIENT) {
      text.client(info);
    } else {
      text.server(info);
    }
    text.out.append("Log level: ").append(info.logLevel()).append('\n');
    text.connections(info);
    return text.out.toString();
  }

  /** What {@code qtinfo -t} prints. */
  static String sizes(QtInfo info) {
    InfoText text = new InfoText();
    text.header("++++++++++++++++++++++++++qtreq_xxx size++++++++++++++++++++++++++");
    text.sizes(info.requestSizes(), " req: ");
    text.header("++++++++++++++++++++++++++qtrsp_xxx size++++++++++++++++++++++++++");
    text.sizes(info.responseSizes(), " rsp: ");
    return text.out.toString();
  }

  private void client(QtInfo info) {
    header("++++++++++++++++++++++++++send error count+++++++++++++++++++++++++++");
    events(info.sendErrors(), "Send events error total: ");
    header("++++++++++++++++++++++++++recv error count+++++++++++++++++++++++++++");
    events(info.receiveErrors(), "Recv events error total: ");
    QtInfo.Counters counters = info.counters();
    header("++++++++++++++++++++++++++++++Misc count+++++++++++++++++++++++++++++");
    pair("Active connects: ", counters.active(), " ");
    pair("Seq err count   : ", counters.sequenceErrors(), " ");
    pair("Restartsys   : ", counters.restarts(), "\n");
    pair("Type mismatch  : ", counters.typeMismatches(), " ");
    pair("Epoll add fds   : ", counters.epollAdded(), " ");
    pair("Epoll del fds: ", counters.epollDeleted(), "\n");
    pair("Epoll err fds  : ", counters.epollErrors(), "\n");
  }

  private void server(QtInfo info) {
    header("++++++++++++++++++++++++++req check err+++++++++++++++++++++++++++++++");
    events(info.check());
    header("+++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++");
    QtInfo.Counters counters = info.counters();
    header("++++++++++++++++++++++++++++++Misc count+++++++++++++++++++++++++++++");
    pair("Active connects: ", counters.active(), " ");
    pair("Epoll add fds: ", counters.epollAdded(), " ");
    pair("Epoll del fds: ", counters.epollDeleted(), "\n");
  }

  private void connections(QtInfo info) {
    header("+++++++++++++++++++++++++++Connection state++++++++++++++++++++++++++");
    List<QtInfo.State> states = info.states();
    for (int i = 0; i < states.size(); i++) {
      out.append("Conn");
      padded(String.valueOf(i + 1), 2);
      out.append(": ");
      padded(states.get(i).name(), 10);
      between(i);
    }
    out.append("Epoll state: ");
    padded(info.epollState().name(), 10);
    out.append('\n');
    header("+++++++++++++++++++++++++++++Param count+++++++++++++++++++++++++++++");
    out.append("Parameter valid count: ");
    padded(String.valueOf(info.valid()), 2);
    out.append(" Parameter busy count: ");
    padded(String.valueOf(info.busy()), 2);
    out.append('\n');
    int number = 1;
    for (String holder : info.holders()) {
      out.append("Conn");
      padded(String.valueOf(number++), 2);
      out.append(" holder: [");
      padded(holder.isEmpty() ? "No one" : holder, 20);
      out.append("]\n");
    }
  }

  private void header(String line) {
    out.append(line).append('\n');
  }

  private void events(List<Long> counts, String total) {
    events(counts);
    long sum = 0;
    for (long count : counts) {
      sum += count;
    }
    out.append(total).append(Long.toUnsignedString(sum)).append('\n');
  }

  private void events(List<Long> counts) {
    for (int i = 0; i < QtInfo.EVENTS.size(); i++) {
      padded(QtInfo.EVENTS.get(i), 10);
      out.append(": ");
      padded(Long.toUnsignedString(counts.get(i)), 10);
      between(i);
    }
    out.append('\n');
  }

  private void sizes(List<Long> sizes, String label) {
    for (int i = 0; i < QtInfo.EVENTS.size(); i++) {
      padded(QtInfo.EVENTS.get(i), 10);
      out.append(label);
      padded(Long.toUnsignedString(sizes.get(i)), 10);
      between(i);
    }
    out.append('\n');
  }

  /** Three columns; the last row of 35 events and 16 connections is not full. */
  private void between(int column) {
    out.append(column % IN_A_ROW == IN_A_ROW - 1 ? '\n' : ' ');
  }

  private void pair(String label, long value, String end) {
    out.append(label);
    padded(Long.toUnsignedString(value), 8);
    out.append(end);
  }

  private void padded(String text, int width) {
    out.append(text).repeat(' ', Math.max(0, width - text.length()));
  }
}
