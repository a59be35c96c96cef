package qtfs.rexec;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.Log;
import qtfs.linux.UnixSocket;

/**
 * One connection to the server, from request to exit code. Runs on a platform thread of its own and
 * owns the connection.
 *
 * <p>The child is there before it is told of, and waits before its exec for the client's handshake.
 * From then on whichever comes first decides: the program's end is told to the client, the
 * connection's end kills the program.
 */
final class Session implements Runnable {
  static final Duration REQUEST_LIMIT = Duration.ofSeconds(10);

  private final ServerContext context;
  private final Fd connection;
  private final Runnable served;
  private String peer = "?";

  /**
   * A connection that has said nothing.
   *
   * @param served is run once there is nothing left to do but to echo
   */
  Session(ServerContext context, Fd connection, Runnable served) {
    this.context = context;
    this.connection = connection;
    this.served = served;
  }

  @Override
  public void run() {
    try (connection;
        MessageChannel channel = new MessageChannel(connection)) {
      UnixSocket.Credentials credentials = UnixSocket.peerCredentials(connection);
      peer = "uid " + credentials.uid() + " pid " + credentials.pid();
      boolean told;
      try (RequestAudit audit = new RequestAudit(credentials, context.metrics())) {
        told = serve(channel, credentials.uid(), audit);
      }
      if (told) {
        served.run();
        echo(channel);
      }
    } catch (ProtocolException e) {
      context.metrics().protocolError();
      Log.warn(peer + ": " + e.getMessage());
    } catch (IOException e) {
      Log.warn(peer + ": " + e.getMessage());
    } catch (RuntimeException | Error e) {
      Log.error(peer + ": " + e);
    }
  }

  /** Stays until the client has gone, as one of C does at once, so that it may ask whether. */
  private static void echo(MessageChannel channel) throws IOException {
    try {
      while (true) {
        try (MessageChannel.Received received = channel.receive(Deadline.NEVER)) {
          switch (received == null ? null : received.message()) {
            case Message.Echo echo -> channel.send(echo, List.of());
            case Message.Signal _, Message.Resize _ -> {} // has crossed the word of the end
            case null -> {
              return;
            }
            case Message.Exec _,
                Message.PipeMessage _,
                Message.Handshake _,
                Message.PidMap _,
                Message.Kill _ ->
                throw new ProtocolException("another message behind the program's end");
          }
        }
      }
    } catch (LinuxException gone) {
      // Nobody is left to be told.
    }
  }

  /** Whether the client waits for no more than the output. */
  private boolean serve(MessageChannel channel, int uid, RequestAudit audit) throws IOException {
    Request request = Request.receive(channel, Deadline.after(REQUEST_LIMIT));
    if (request == null) {
      return false;
    }
    audit.asked(request.arguments());
    try (request;
        Admission admission = Admission.judge(context, request, wishes(request), uid)) {
      audit.decided(admission.decision());
      String refusal = admission.refusal();
      if (ExplainWish.isIn(request.files())) {
        boolean told = explain(channel, request, admission);
        audit.explained();
        return told;
      } else if (refusal != null) {
        context.running().refused();
        UserText.tell(request.stderr(), request.program() + ": " + refusal);
        return false;
      } else {
        return new Execution(context, channel, request, admission, audit, peer).run(files(request));
      }
    } catch (IOException e) {
      audit.failed(String.valueOf(e.getMessage()));
      throw e;
    }
  }

  /** Tells the decision where the program's output would have gone, and its code as an end. */
  private boolean explain(MessageChannel channel, Request request, Admission admission)
      throws IOException {
    Explanation explanation =
        Explanation.of(admission.asked(), admission.decision(), context.hostName());
    int capabilities = Message.PidMap.ALWAYS | Message.PidMap.EXPLAINS;
    channel.send(new Message.PidMap(0, capabilities), List.of());
    if (!Execution.isTold(channel)) {
      return false;
    }
    UserText.write(request.stdout(), explanation.text());
    request.close();
    int code = explanation.exitCode();
    channel.send(new Message.Kill(code, Message.Kill.End.EXITED), List.of());
    return true;
  }

  private List<InheritedFile> files(Request request) throws ProtocolException {
    try {
      return FilesJson.read(request.files());
    } catch (ProtocolException e) {
      throw refused(request, e.getMessage());
    }
  }

  private Wishes wishes(Request request) throws ProtocolException {
    Wishes wishes;
    try {
      wishes = WishesJson.read(request.files());
    } catch (ProtocolException e) {
      throw refused(request, e.getMessage());
    }
    int wished = wishes.descriptors().size();
    if (request.further().size() != wished) {
      throw refused(
          request, request.further().size() + " of " + wished + " descriptors of --fd arrived");
    }
    return wishes;
  }

  /** Tells the client's user, and the caller by the exception to be thrown. */
  private ProtocolException refused(Request request, @Nullable String why) {
    String line = request.program() + ": refused, " + why;
    UserText.tell(request.stderr(), line);
    return new ProtocolException(line);
  }
}
