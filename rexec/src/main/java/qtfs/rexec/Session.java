package qtfs.rexec;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Fd;
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
  private String peer = "?";

  Session(ServerContext context, Fd connection) {
    this.context = context;
    this.connection = connection;
  }

  @Override
  public void run() {
    try (connection;
        MessageChannel channel = new MessageChannel(connection)) {
      UnixSocket.Credentials credentials = UnixSocket.peerCredentials(connection);
      peer = "uid " + credentials.uid() + " pid " + credentials.pid();
      try (RequestAudit audit = new RequestAudit(credentials, context.metrics())) {
        serve(channel, credentials.uid(), audit);
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

  private void serve(MessageChannel channel, int uid, RequestAudit audit) throws IOException {
    Request request = Request.receive(channel, Deadline.after(REQUEST_LIMIT));
    if (request == null) {
      return;
    }
    audit.asked(request.arguments());
    try (request;
        Admission admission = Admission.judge(context, request, wishes(request), uid)) {
      audit.decided(admission.decision());
      String refusal = admission.refusal();
      if (ExplainWish.isIn(request.files())) {
        explain(channel, request, admission);
        audit.explained();
      } else if (refusal != null) {
        context.running().refused();
        UserText.tell(request.stderr(), request.program() + ": " + refusal);
      } else {
        new Execution(context, channel, request, admission, audit, peer).run(files(request));
      }
    } catch (IOException e) {
      audit.failed(String.valueOf(e.getMessage()));
      throw e;
    }
  }

  /** Tells the decision where the program's output would have gone, and its code as an end. */
  private void explain(MessageChannel channel, Request request, Admission admission)
      throws IOException {
    Explanation explanation =
        Explanation.of(admission.asked(), admission.decision(), context.hostName());
    int capabilities = Message.PidMap.ALWAYS | Message.PidMap.EXPLAINS;
    channel.send(new Message.PidMap(0, capabilities), List.of());
    if (Execution.isTold(channel)) {
      UserText.write(request.stdout(), explanation.text());
      request.close();
      int code = explanation.exitCode();
      channel.send(new Message.Kill(code, Message.Kill.End.EXITED), List.of());
    }
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
