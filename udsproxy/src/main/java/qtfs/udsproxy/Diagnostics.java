package qtfs.udsproxy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import qtfs.linux.Fd;
import qtfs.linux.Log;
import qtfs.linux.UnixListener;

/**
 * The two sockets that answer whoever connects with a text and close: what the proxy is doing, for
 * {@code qtinfo -u}, and the change of the log level, for {@code qtinfo -s}. On one loop.
 */
final class Diagnostics {
  private static final int BACKLOG = 16;
  private static final List<Log.Level> LEVELS =
      List.of(Log.Level.NONE, Log.Level.ERROR, Log.Level.INFO);

  private final Acceptor acceptor;
  private final Supplier<String> text;

  private Diagnostics(ProxyLoop loop, Path socket, Supplier<String> text) throws IOException {
    this.text = text;
    this.acceptor =
        Acceptor.start(loop.eventLoop(), UnixListener.bind(socket, BACKLOG), this::answer);
  }

  /** Answers on {@code uds_proxy_diag.sock}; on the loop. */
  static Diagnostics state(ProxyLoop loop, Path runDirectory, Shared shared) throws IOException {
    return new Diagnostics(
        loop, runDirectory.resolve("uds_proxy_diag.sock"), () -> describe(shared));
  }

  /** Answers on {@code uds_loglevel.sock}; on the loop. */
  static Diagnostics logLevel(ProxyLoop loop, Path runDirectory) throws IOException {
    return new Diagnostics(loop, runDirectory.resolve("uds_loglevel.sock"), Diagnostics::stepLevel);
  }

  private static String describe(Shared shared) {
    StringBuilder text = new StringBuilder();
    text.append(
        "+-----------------------------Unix Proxy Diagnostic information-------------------------+\n");
    text.append("+ Thread nums:").append(shared.loops().size()).append('\n');
    int thread = 1;
    for (ProxyLoop loop : shared.loops()) {
      long connections = shared.relays().stream().filter(r -> r.loop() == loop).count();
      text.append("+\tThread ").append(thread++).append(" events count:").append(connections);
      text.append('\n');
    }
    text.append("+\tLog level:").append(Log.level()).append('\n');
    text.append("+\tSessions since start:").append(shared.statistics().sessions()).append('\n');
    text.append("+\tRefused:").append(shared.statistics().refusals()).append('\n');
    text.append("+\tProtocol errors:").append(shared.statistics().protocolErrors()).append('\n');
    text.append("+\tPipes to be fetched:").append(shared.passedPipes().size()).append('\n');
    text.append(
        "+---------------------------------------------------------------------------------------+\n\n");
    return text.toString();
  }

  /** One step of NONE, ERROR, INFO, NONE; the levels between, ours, count as the one above them. */
  private static String stepLevel() {
    Log.Level before = Log.level();
    int index = LEVELS.indexOf(before);
    Log.Level next =
        index < 0
            ? before == Log.Level.DEBUG ? Log.Level.NONE : Log.Level.INFO
            : LEVELS.get((index + 1) % LEVELS.size());
    Log.level(next);
    return "+---------------UDS LOG LEVEL UPDATE--------------+\n"
        + "+ Log level is:"
        + before
        + " before, now change to :"
        + next
        + ".\n+-------------------------------------------------+\n\n";
  }

  private void answer(Fd connection) {
    try (connection;
        Arena arena = Arena.ofConfined()) {
      byte[] bytes = text.get().getBytes(StandardCharsets.UTF_8);
      MemorySegment segment = arena.allocate(bytes.length).copyFrom(MemorySegment.ofArray(bytes));
      // A fresh socket's buffer takes it whole; who hangs up before does not want it.
      connection.write(segment, bytes.length);
    }
  }

  /** Removes the socket; on the loop. */
  void close() {
    acceptor.close();
  }
}
