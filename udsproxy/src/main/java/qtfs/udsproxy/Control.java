package qtfs.udsproxy;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.Principal;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Audit;
import qtfs.linux.Log;
import qtfs.linux.ProcessAttributes;
import qtfs.linux.UnixSocket;

/**
 * Carries out what control clients ask for. Each answer is an object on one line: {@code "ok":true}
 * and what was asked for, or {@code "ok":false} and {@code "error"}, one line that says why. For
 * any thread; it waits for the first loop's.
 */
final class Control {
  /**
   * An answer.
   *
   * @param last whether the client is not listened to any more
   */
  record Answer(String line, boolean last) {}

  private final Shared shared;
  private final ProxyConfig config;
  private final Exposures exposures;
  private final Runnable drain;
  private final Instant since = Instant.now();

  /**
   * The controls of one daemon.
   *
   * @param exposures asked on the first loop's thread
   * @param drain begins to drain, and returns
   */
  Control(Shared shared, ProxyConfig config, Exposures exposures, Runnable drain) {
    this.shared = shared;
    this.config = config;
    this.exposures = exposures;
    this.drain = drain;
  }

  /** The answer to a request. */
  Answer carryOut(byte[] line, UnixSocket.Credentials who) {
    ControlRequest request;
    try {
      request = ControlRequest.parse(line);
    } catch (IOException e) {
      return failure("bad request: " + e.getMessage());
    }
    try {
      Json.Members result = carryOut(request, who);
      return new Answer(
          Json.line(
              json -> {
                json.writeBooleanField("ok", true);
                result.write(json);
              }),
          false);
    } catch (IOException | Exposure.SpecException | InvalidPathException e) {
      return new Answer(failure(String.valueOf(e.getMessage())).line(), false);
    } catch (RuntimeException | LinkageError e) {
      Log.error("a control request has failed: " + e);
      return failure("the daemon has failed at it; its log says how");
    }
  }

  /** The answer to what is no request. */
  static Answer failure(String reason) {
    return new Answer(
        Json.line(
            json -> {
              json.writeBooleanField("ok", false);
              json.writeStringField("error", Log.escape(reason));
            }),
        true);
  }

  private Json.Members carryOut(ControlRequest request, UnixSocket.Credentials who)
      throws IOException, Exposure.SpecException {
    return switch (request) {
      case ControlRequest.Expose(String spec) -> {
        audit(who, "expose", spec);
        yield expose(Exposure.parse(spec));
      }
      case ControlRequest.Unexpose(String local) -> {
        audit(who, "unexpose", local);
        yield unexpose(local);
      }
      case ControlRequest.Exposed() -> exposed(onLoop(exposures::list));
      case ControlRequest.Sessions() -> sessions(shared.sessions());
      case ControlRequest.Status() -> status(onLoop(exposures::size));
      case ControlRequest.Drain() -> {
        audit(who, "drain", "");
        drain.run();
        yield json -> json.writeNumberField("sessions", shared.sessions().size());
      }
      case ControlRequest.LogLevel(Log.Level level) -> {
        audit(who, "log-level", level.name());
        yield logLevel(level);
      }
    };
  }

  /** What changes something is written down, with who wanted it. */
  private static void audit(UnixSocket.Credentials who, String command, String what) {
    Log.audit(
        Audit.of("control")
            .with("command", command)
            .with("argument", what)
            .with("pid", who.pid())
            .with("uid", who.uid()));
  }

  private <T> T onLoop(Callable<T> task) throws IOException {
    ProxyLoop loop = shared.loops().get(0);
    return loop.eventLoop().inEventLoop() ? here(task) : ProxyDaemon.on(loop, task);
  }

  /** On the loop already, where no other thread was to be had. */
  private static <T> T here(Callable<T> task) throws IOException {
    try {
      return task.call();
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Exception impossible) {
      throw new AssertionError(impossible);
    }
  }

  // ---- exposing

  private Json.Members expose(Exposure exposure) throws IOException {
    Exposures.Status added =
        onLoop(
            () -> {
              exposures.add(exposure);
              return exposures.list().stream()
                  .filter(one -> one.exposure().equals(exposure))
                  .findFirst()
                  .orElseThrow();
            });
    return json -> {
      json.writeFieldName("exposed");
      write(json, added);
    };
  }

  private Json.Members unexpose(String local) throws IOException {
    Path path = Path.of(local);
    if (!onLoop(() -> exposures.remove(path))) {
      throw new IOException("nothing is exposed at " + local);
    }
    return json -> json.writeStringField("local", local);
  }

  private static Json.Members exposed(List<Exposures.Status> list) {
    return json -> {
      json.writeArrayFieldStart("exposed");
      for (Exposures.Status one : list) {
        write(json, one);
      }
      json.writeEndArray();
    };
  }

  private static void write(JsonGenerator json, Exposures.Status status) throws IOException {
    Exposure exposure = status.exposure();
    json.writeStartObject();
    json.writeStringField("local", exposure.local().toString());
    json.writeStringField("peer", exposure.target().path());
    json.writeStringField("type", exposure.typeWord());
    json.writeStringField("mode", String.format("%04o", exposure.mode()));
    json.writeStringField("owner", name(exposure.owner()));
    json.writeStringField("group", name(exposure.group()));
    json.writeStringField("since", status.since().toString());
    json.writeNumberField("clients", status.clients());
    json.writeBooleanField("reachable", status.reachable());
    json.writeEndObject();
  }

  private static String name(@Nullable Principal principal) {
    return principal == null ? "" : principal.getName();
  }

  // ---- looking inside

  private static Json.Members sessions(List<SessionInfo> sessions) {
    return json -> {
      json.writeArrayFieldStart("sessions");
      for (SessionInfo session : sessions) {
        write(json, session);
      }
      json.writeEndArray();
    };
  }

  private static void write(JsonGenerator json, SessionInfo session) throws IOException {
    json.writeStartObject();
    json.writeNumberField("number", session.number());
    json.writeStringField("direction", session.direction().word());
    json.writeStringField("path", session.path());
    json.writeStringField("peer", session.peer());
    json.writeStringField("dialect", session.dialect());
    json.writeStringField("since", session.since().toString());
    json.writeNumberField("idleMillis", session.idle().toMillis());
    json.writeNumberField("bytesToPeer", session.bytesToPeer());
    json.writeNumberField("bytesFromPeer", session.bytesFromPeer());
    json.writeNumberField("fdsToPeer", session.fdsToPeer());
    json.writeNumberField("fdsFromPeer", session.fdsFromPeer());
    json.writeNumberField("pipes", session.pipes());
    Requester who = session.requester();
    if (who != null) {
      json.writeObjectFieldStart("requester");
      json.writeNumberField("pid", who.pid());
      json.writeNumberField("uid", who.uid());
      json.writeNumberField("gid", who.gid());
      json.writeStringField("command", who.command());
      json.writeEndObject();
    }
    json.writeEndObject();
  }

  private Json.Members status(int exposed) {
    return json -> {
      json.writeObjectFieldStart("status");
      json.writeStringField("version", Udsproxyd.version());
      json.writeNumberField("pid", ProcessAttributes.pid());
      json.writeStringField("since", since.toString());
      json.writeStringField("address", config.address().toString());
      json.writeStringField("peer", config.peer().toString());
      json.writeStringField("runDirectory", config.runDirectory().toString());
      json.writeNumberField("threads", config.threads());
      json.writeNumberField("sessions", shared.sessions().size());
      json.writeNumberField("sessionsSinceStart", shared.statistics().sessions());
      json.writeNumberField("refused", shared.statistics().refusals());
      json.writeNumberField("exposed", exposed);
      json.writeBooleanField("draining", shared.isDraining());
      json.writeStringField("whitelist", config.whitelist().toString());
      json.writeStringField("whitelistLoaded", shared.reach().loaded().toString());
      json.writeStringField("dialect", shared.dialect().word());
      json.writeBooleanField("tls", config.tls().isPresent());
      json.writeStringField("logLevel", Log.level().name());
      json.writeEndObject();
    };
  }

  private static Json.Members logLevel(Log.Level level) {
    Log.Level before = Log.level();
    Log.level(level);
    return json -> {
      json.writeStringField("before", before.name());
      json.writeStringField("logLevel", level.name());
    };
  }
}
