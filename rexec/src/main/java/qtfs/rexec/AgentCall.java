package qtfs.rexec;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import qtfs.linux.ByteStrings;
import qtfs.linux.Fd;
import qtfs.linux.Log;
import qtfs.linux.UnixSocket;

/**
 * One connection of a launcher to the agent, from request to exit code. Runs on a platform thread,
 * the only one of the call, and owns the connection.
 *
 * <p>What it cannot do just as rexec itself would, it declines before anything has happened, and
 * the launcher does that itself.
 */
final class AgentCall implements Runnable {
  private static final Duration LIMIT = Duration.ofSeconds(10);

  private final Agent agent;
  private final Fd connection;

  AgentCall(Agent agent, Fd connection) {
    this.agent = agent;
    this.connection = connection;
  }

  @Override
  public void run() {
    try (AgentChannel channel = new AgentChannel(connection)) {
      UnixSocket.Credentials caller = UnixSocket.peerCredentials(connection);
      if (caller.uid() != agent.uid() || caller.pid() == 0) {
        Log.warn("uid " + caller.uid() + " pid " + caller.pid() + ": not served, it is another's");
        channel.decline();
        return;
      }
      try (AgentRequest request = channel.receive(Deadline.after(LIMIT))) {
        serve(caller.pid(), request, channel);
      }
    } catch (IOException e) {
      Log.debug("a launcher: " + e.getMessage());
    } catch (RuntimeException | Error e) {
      Log.error("a call: " + e);
    }
  }

  private void serve(int pid, AgentRequest request, AgentChannel channel) throws IOException {
    try (LaunchedProcess process = new LaunchedProcess(pid, request, channel)) {
      Client client = prepare(request, process);
      if (channel.accept(Deadline.after(LIMIT))) {
        run(client, process, request, channel);
      }
    } catch (Declined | RexecException e) {
      // The latter is about the command line: the launcher's JVM says the same.
      Log.debug("pid " + pid + ": declined: " + e.getMessage());
      channel.decline();
    }
  }

  /** The call cannot be made here so that nobody notices. */
  private static final class Declined extends Exception {
    private static final long serialVersionUID = 1L;

    Declined(String why) {
      super(why);
    }
  }

  private Client prepare(AgentRequest request, LaunchedProcess process)
      throws IOException, Declined, RexecException {
    if (!request.place().equals(agent.place())) {
      agent.warnOfPlace(process.pid());
      throw new Declined("another namespace or root directory");
    }
    Map<String, String> environment = process.environment();
    require(environment.get("REXEC_LOG_FILE") == null, "REXEC_LOG_FILE");
    require(isAbsolute(environment.get("REXEC_RUN_DIR")), "a relative REXEC_RUN_DIR");
    require(isAbsolute(environment.get("QTFS_RUN_DIR")), "a relative QTFS_RUN_DIR");
    List<String> arguments = request.arguments();
    Invocation invocation =
        Invocation.of(
            ByteStrings.text(arguments.getFirst()),
            arguments.subList(1, arguments.size()),
            process);
    require(invocation.help() == null, "help");
    require(invocation.manner().terminal() != Manner.Terminal.DEMANDED, "-t");
    return new Client(
        Client.Settings.of(environment, process, invocation.manner(), agent.sweeps(), false),
        invocation.arguments());
  }

  private static boolean isAbsolute(@Nullable String path) {
    return path == null || path.isEmpty() || path.startsWith("/");
  }

  private static void require(boolean condition, String otherwise) throws Declined {
    if (!condition) {
      throw new Declined(otherwise);
    }
  }

  private static void run(
      Client client, LaunchedProcess process, AgentRequest request, AgentChannel channel) {
    int code;
    int signal = 0;
    try {
      Client.Ending ending = client.run();
      code = ending.code();
      signal = client.sameSignal() ? ending.signal() : 0;
    } catch (RexecException e) {
      String line = String.valueOf(e.getMessage());
      if (!line.isEmpty()) {
        process.complain(line);
      }
      code = e.exitCode();
    } catch (CallOver e) {
      code = e.code();
    } catch (RuntimeException | Error e) {
      process.complain(e.toString());
      code = ExitCode.OWN_FAILURE;
    }
    // Before the launcher's end: nobody may find a stream of its still open after that.
    process.close();
    request.close();
    if (signal != 0) {
      channel.die(signal);
    } else if (code != CallOver.GONE) {
      channel.exit(code);
    }
  }
}
