package qtfs.udsproxy;

import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Errno;
import qtfs.linux.Fd;
import qtfs.linux.LinuxException;
import qtfs.linux.Log;
import qtfs.udsproxy.connector.ConnectRequest;
import qtfs.udsproxy.connector.Mark;

/**
 * An application's wish to be connected to a socket of the other host, from its request on {@code
 * remote_uds.sock} to the session:
 *
 * <pre>
 * READING  112 bytes from the application's connector
 * ASKING   the peer is asked for its socket
 * WAITING  the stand-in socket listens, the connector has been told, the application may connect
 * </pre>
 *
 * Every step has a deadline; a connector that hangs up ends it before the stand-in listens. All on
 * the loop's thread, but for what the stand-ins call.
 */
final class LocalConnect implements FdWatch.Listener, PeerRequestor.Listener, StandIns.Waiting {
  private static final int READY = 1;
  private static final int READY_EXTENDED = 2;
  private static final int FAILED = 0;

  private final Shared shared;
  private final ProxyLoop loop;
  private final Fd connector;
  private final LocalRequester who;
  private final FdWatch watch;
  private final byte[] request = new byte[ConnectRequest.LENGTH];
  private int received;
  private @Nullable String path;
  private @Nullable ConnectRequest wanted;
  private @Nullable PeerRequestor requestor;
  private boolean waits; // for the application
  private boolean over;
  private ScheduledFuture<?> deadline;

  private LocalConnect(Shared shared, ProxyLoop loop, Fd connector) throws LinuxException {
    this.shared = shared;
    this.loop = loop;
    this.connector = connector;
    this.who = LocalRequester.at(connector);
    this.watch = FdWatch.start(loop.eventLoop(), connector.number(), this);
    this.deadline = inTime("the request is not complete");
    shared.requestBegins();
  }

  /**
   * Begins to serve a connector.
   *
   * @param connector does not block; taken over
   */
  static void start(Shared shared, ProxyLoop loop, Fd connector) {
    loop.eventLoop()
        .execute(
            () -> {
              try {
                // It has most often written its request by now.
                new LocalConnect(shared, loop, connector).ready(true, false, false, false);
              } catch (LinuxException e) {
                connector.close();
                Log.error("cannot serve a connector: " + e.getMessage());
              }
            });
  }

  private ScheduledFuture<?> inTime(String complaint) {
    return loop.after(
        shared.deadlines().handshake(),
        () -> fail(Refusal.HANDSHAKE_TIMEOUT, complaint + " in time"));
  }

  // ---- READING

  @Override
  public void ready(boolean readable, boolean writable, boolean ended, boolean hungUp) {
    while (!over) {
      int n = read();
      if (n > 0 && path != null && !ended) {
        return; // its end would be another event
      }
      if (n == -Errno.EAGAIN) {
        return;
      }
      if (n <= 0) {
        fail(
            Refusal.REQUESTER_LEFT,
            path == null ? "the request ends after " + received + " bytes" : "the connector left");
        return;
      }
    }
  }

  /** Reads more of the request; anything behind it is none of ours and is dropped. */
  private int read() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(ConnectRequest.LENGTH);
      int wanted = path == null ? ConnectRequest.LENGTH - received : ConnectRequest.LENGTH;
      int n = (int) connector.read(buffer, wanted);
      if (n > 0 && path == null) {
        MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, request, received, n);
        received += n;
        if (received == ConnectRequest.LENGTH) {
          requested();
        }
      }
      return n;
    }
  }

  private void requested() {
    try {
      ConnectRequest decoded = ConnectRequest.decode(request);
      path = decoded.path();
      wanted = decoded;
      deadline.cancel(false);
      if (shared.standIns().serves(decoded)) {
        finish();
        endRequest(READY);
        return;
      }
      requestor = PeerRequestor.start(shared, loop, decoded, this);
      Requester _ = who.get(); // while the peer connects, and the connector waits
    } catch (IOException e) {
      fail(Refusal.BAD_REQUEST, e.getMessage());
    }
  }

  // ---- ASKING

  @Override
  public void connected() {
    if (wanted != null) {
      waits = true;
      shared.standIns().await(wanted, who.get(), this);
    }
  }

  @Override
  public void failed(Refusal refusal, String detail) {
    int errno = requestor == null ? 0 : requestor.peersErrno();
    boolean understood = Mark.of(request) == Mark.CONNECTOR && errno > 0;
    fail(refusal, detail, understood ? -errno : FAILED);
  }

  // ---- WAITING

  @Override
  public void listening() {
    loop.run(
        () -> {
          if (over) {
            shared.standIns().giveUp(requestedPath(), this);
            return;
          }
          deadline =
              loop.after(
                  shared.deadlines().pairing(),
                  () -> fail(Refusal.PAIRING_TIMEOUT, "the application does not come in time"));
          endRequest(isExtended() && Mark.takesExtended(request) ? READY_EXTENDED : READY);
        });
  }

  @Override
  public void failed(IOException reason) {
    loop.run(() -> fail(Refusal.FAILED, reason.getMessage()));
  }

  @Override
  public void pair(Fd application) {
    loop.run(
        () -> {
          PeerRequestor link = requestor;
          if (over || link == null) {
            application.close();
            return;
          }
          finish();
          link.startSession(who.get(), application);
        });
  }

  private boolean isExtended() {
    return requestor != null && requestor.isExtended();
  }

  private String requestedPath() {
    return path == null ? "?" : path;
  }

  // ---- the end

  private void fail(Refusal refusal, @Nullable String detail) {
    fail(refusal, detail, FAILED);
  }

  private void finish() {
    over = true;
    shared.requestEnds(loop);
    deadline.cancel(false);
  }

  private void fail(Refusal refusal, @Nullable String detail, int answer) {
    if (over) {
      return;
    }
    finish();
    shared.audit().refused(path == null ? "" : path, who.get(), refusal, String.valueOf(detail));
    if (connector.isOpen()) {
      if (received == ConnectRequest.LENGTH) {
        endRequest(answer);
      } else {
        closeConnector();
      }
    }
    if (waits) {
      shared.standIns().giveUp(requestedPath(), this);
    }
    if (requestor != null) {
      requestor.close();
    }
  }

  /** Answers the connector and lets it go; a fresh socket takes 4 bytes at once. */
  private void endRequest(int answer) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(4, 4);
      bytes.set(ValueLayout.JAVA_INT, 0, answer);
      connector.write(bytes, 4);
    }
    closeConnector();
  }

  private void closeConnector() {
    watch.cancel();
    connector.close();
  }
}
