package qtfs.rexec;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Daemon;
import qtfs.linux.Fd;
import qtfs.linux.Log;

/**
 * The server as a service: its listening socket, its control socket, and what its files say. The
 * programs outlive it, unless the configuration says otherwise.
 */
final class RexecDaemon implements Daemon, Closeable {
  private final Path socket;
  private final ServerContext context;
  private final Server server;
  private final ControlSocket control;
  private final MetricsEndpoint metrics;

  private RexecDaemon(
      Path socket,
      ServerContext context,
      Server server,
      ControlSocket control,
      MetricsEndpoint metrics) {
    this.socket = socket;
    this.context = context;
    this.server = server;
    this.control = control;
    this.metrics = metrics;
  }

  /**
   * Starts it.
   *
   * @param maxRequests 0 for what the configuration says
   * @param metricsAddress where metrics are shown too, null for nowhere
   * @param inherited a listening socket to be used instead of one of its own; taken over
   */
  static RexecDaemon start(
      Path runDir,
      ServerContext context,
      int maxRequests,
      @Nullable InetSocketAddress metricsAddress,
      Optional<Fd> inherited)
      throws IOException {
    int most = maxRequests == 0 ? context.policy().get().config().programs() : maxRequests;
    Server server = Server.start(runDir, context, most, inherited);
    try {
      ControlSocket control = ControlSocket.start(runDir, new Control(context));
      try {
        MetricsEndpoint metrics = MetricsEndpoint.start(runDir, context, metricsAddress);
        return new RexecDaemon(runDir.resolve("rexec_uds.sock"), context, server, control, metrics);
      } catch (IOException e) {
        control.close();
        throw e;
      }
    } catch (IOException e) {
      server.close();
      throw e;
    }
  }

  @Override
  public String status() {
    return "listening at " + socket + ", " + context.policy().get().summary();
  }

  @Override
  public void reload() {
    if (context.policy().reload()) {
      Log.info("in force now: " + context.policy().get().summary());
    }
  }

  @Override
  public boolean isAlive() {
    return server.isAccepting() && control.isAccepting();
  }

  @Override
  public void drain() {
    server.stopAccepting();
  }

  @Override
  public int workLeft() {
    return context.running().counts().running();
  }

  @Override
  public void stop() {
    close();
  }

  @Override
  public void close() {
    control.close();
    metrics.close();
    int left = workLeft();
    try {
      if (context.policy().get().config().killAtStop()) {
        server.close();
        Log.info("ended " + left + " programs");
      } else {
        server.leave();
        Log.info("left " + left + " programs running");
      }
    } catch (IOException e) {
      Log.warn("cannot clear the run directory: " + e.getMessage());
    }
  }
}
