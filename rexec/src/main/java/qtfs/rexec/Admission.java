package qtfs.rexec;

import java.io.Closeable;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A request that has been decided on: the decision, and what is held for it until its program has
 * ended, the opened file and a place of its requester's. For the session's thread.
 */
final class Admission implements Closeable {
  private final ServerContext context;
  private final OpenedProgram program;
  private final Asked asked;
  private final Decision decision;
  private final boolean place;
  private int pid;

  private Admission(
      ServerContext context, OpenedProgram program, Asked asked, Decision decision, boolean place) {
    this.context = context;
    this.program = program;
    this.asked = asked;
    this.decision = decision;
    this.place = place;
  }

  /**
   * Decides: by one policy, whatever is read again meanwhile.
   *
   * @param uid of the requester on this host
   */
  static Admission judge(ServerContext context, Request request, Wishes wishes, int uid) {
    OpenedProgram program =
        OpenedProgram.open(context.find(request.arguments().getFirst(), wishes));
    Policy policy = context.policy().get();
    Wishes bounded = wishes.withKillGraceUpTo(policy.config().killGrace());
    if (!bounded.equals(wishes)) {
      context.metrics().reached(Limit.KILL_GRACE);
    }
    Asked asked = new Asked(uid, request.arguments(), bounded, program.target(), request.bytes());
    Decision decision = policy.judge(asked);
    int most = policy.config().programsPerUser();
    boolean place = decision instanceof Decision.Allowed && context.running().enter(uid, most);
    if (decision instanceof Decision.Allowed && !place) {
      decision = tooMany(uid, most);
    }
    return new Admission(context, program, asked, decision, place);
  }

  private static Decision tooMany(int uid, int most) {
    return new Decision.Refused(
        "rexec_server.conf",
        Refusal.PROGRAMS_PER_USER,
        "uid " + uid + " has " + most + " programs running already",
        "a higher ProgramsPerUser= in [Limits] of rexec_server.conf");
  }

  Asked asked() {
    return asked;
  }

  Decision decision() {
    return decision;
  }

  /** Why the client is refused, in words for its user; null if it is not. */
  @Nullable String refusal() {
    return switch (decision) {
      case Decision.Allowed _ -> null;
      case Decision.Refused(_, _, String reason, _) -> reason + " (" + context.hostName() + ")";
    };
  }

  /** As whom the program runs, null for the server's own user. */
  @Nullable String user() {
    return decision instanceof Decision.Allowed allowed ? allowed.user() : null;
  }

  /** What to execute: where the decision was about a file, that very file. */
  Program executable() throws IOException {
    return decision instanceof Decision.Allowed allowed && allowed.pinned()
        ? program.pinned(context.freePlace())
        : program.byPath();
  }

  /** The program runs: noted until {@link #close}. */
  void started(int pid) {
    this.pid = pid;
    context.running().started(ProgramRecord.of(pid, asked.uid(), asked.program(), decision.rule()));
  }

  @Override
  public void close() {
    program.close();
    context.running().ended(pid);
    if (place) {
      context.running().leave(asked.uid());
    }
  }
}
