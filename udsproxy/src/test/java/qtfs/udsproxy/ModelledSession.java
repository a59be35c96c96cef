package qtfs.udsproxy;

import java.io.IOException;
import java.util.List;
import qtfs.linux.UnixSocket;
import qtfs.udsproxy.ModelStep.Side;

/**
 * Two applications that speak through two real sessions, and a network between that does what it is
 * told; beside it, in {@link ModelledApplication}, the model: what a socket between the two would
 * have done. Deterministic. For the thread of its {@link FuzzedProxy}.
 */
final class ModelledSession {
  private static final int ALL = 1 << 30;

  private final FuzzedProxy proxy;
  private final Dialect dialect;
  private final UnixSocket.Type type;
  private final UnixSocket.Pair linkOfA;
  private final UnixSocket.Pair linkOfB;
  private final ModelWire fromA;
  private final ModelWire fromB;
  private final ModelledApplication a;
  private final ModelledApplication b;
  private boolean broken;

  private ModelledSession(FuzzedProxy proxy, Dialect dialect, UnixSocket.Type type)
      throws Exception {
    this.proxy = proxy;
    this.dialect = dialect;
    this.type = type;
    this.linkOfA = UnixSocket.pair();
    this.linkOfB = UnixSocket.pair();
    this.fromA = new ModelWire(linkOfA.second(), linkOfB.second());
    this.fromB = new ModelWire(linkOfB.second(), linkOfA.second());
    this.a = start(Side.A, linkOfA);
    this.b = start(Side.B, linkOfB);
  }

  /** Goes through the steps, then lets everything arrive, then ends everything. */
  static void run(FuzzedProxy proxy, Dialect dialect, UnixSocket.Type type, List<ModelStep> steps)
      throws Exception {
    try (FuzzedProxy.Run run = proxy.new Run()) {
      ModelledSession session = new ModelledSession(proxy, dialect, type);
      try {
        for (ModelStep step : steps) {
          session.step(step);
          proxy.settle();
        }
        session.finish();
      } catch (AssertionError e) {
        throw new AssertionError(e.getMessage() + "\n" + run.log(), e);
      } finally {
        session.end();
      }
    }
  }

  private ModelledApplication start(Side side, UnixSocket.Pair link) throws Exception {
    UnixSocket.Pair sockets = UnixSocket.pair(type);
    proxy.startSession("/model", dialect, type, link.first(), sockets.first());
    return new ModelledApplication(side, sockets.second(), type, dialect);
  }

  private ModelledApplication at(Side side) {
    return side == Side.A ? a : b;
  }

  private ModelWire wire(Side from) {
    return from == Side.A ? fromA : fromB;
  }

  private void step(ModelStep step) throws IOException {
    switch (step) {
      case ModelStep.Send send -> at(send.from()).send(send, mayFail(send.from()));
      case ModelStep.Read(Side by, int most) -> receive(by, most);
      case ModelStep.Drain(Side by) -> drain(by);
      case ModelStep.End(Side of) -> at(of).end();
      case ModelStep.Close(Side of) -> at(of).close();
      case ModelStep.Carry(Side from, int most) -> wire(from).carry(most);
      case ModelStep.Flow() -> flow();
      case ModelStep.Cut() -> cut();
      case ModelStep.Garbage(Side from, int msgtype, int msglen) ->
          broken |= wire(from).slip(msgtype, msglen);
    }
  }

  private boolean mayFail(Side from) {
    return broken || at(from.other()).isGone();
  }

  private boolean receive(Side by, int most) throws IOException {
    return at(by).receive(at(by.other()), most, broken);
  }

  private boolean drain(Side by) throws IOException {
    boolean any = false;
    while (receive(by, ModelledApplication.MOST)) {
      any = true;
      proxy.settle();
    }
    return any;
  }

  private boolean flow() {
    boolean any = false;
    while (fromA.carry(ALL) || fromB.carry(ALL)) {
      any = true;
      proxy.settle();
    }
    return any;
  }

  private void cut() {
    broken = true;
    linkOfA.second().close();
    linkOfB.second().close();
  }

  /** Everything that was sent arrives, and the ends. */
  private void finish() throws IOException {
    boolean any = true;
    while (any) {
      proxy.settle();
      any = flow() || drain(Side.A) || drain(Side.B);
    }
    for (Side side : Side.values()) {
      ModelledApplication from = at(side);
      ModelledApplication to = at(side.other());
      if (!to.isGone()) {
        require(broken || from.hasArrived(), "does not arrive: " + from.outstanding());
        require(
            to.seesEnd() == (broken || from.hasEnded()),
            side.other() + (to.seesEnd() ? " sees an end" : " sees no end"));
      }
    }
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new AssertionError(otherwise);
    }
  }

  private void end() {
    a.free();
    b.free();
    proxy.settle();
    flow();
    linkOfA.second().close();
    linkOfB.second().close();
    proxy.settle();
    fromA.close();
    fromB.close();
  }
}
