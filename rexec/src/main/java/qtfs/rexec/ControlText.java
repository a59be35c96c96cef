package qtfs.rexec;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;

/** What the server tells an operator, as a text and as JSON. */
final class ControlText {
  private ControlText() {}

  /** What runs: a line for each program, below one of headings. */
  static String table(ServerContext context) {
    StringBuilder out = new StringBuilder();
    row(out, "PID", "UID", "SECONDS", "RULE", "PROGRAM");
    for (RunningPrograms.Listed listed : context.running().list()) {
      ProgramRecord program = listed.program();
      row(
          out,
          Integer.toString(program.pid()),
          Integer.toString(program.uid()),
          Long.toString(Duration.between(program.since(), Instant.now()).toSeconds()),
          program.rule(),
          program.program() + (listed.isSurvivor() ? "  (of an earlier server)" : ""));
    }
    return out.toString();
  }

  private static void row(
      StringBuilder out, String pid, String uid, String seconds, String rule, String program) {
    out.append(
        String.format(Locale.ROOT, "%8s %6s %8s  %-24s %s%n", pid, uid, seconds, rule, program));
  }

  static String status(ServerContext context) {
    RunningPrograms.Counts counts = context.running().counts();
    return context.policy().get().summary()
        + "\nrunning "
        + counts.running()
        + "\nleft by an earlier server "
        + counts.survivors()
        + "\nstarted "
        + counts.started()
        + "\nrefused "
        + counts.refused()
        + "\n";
  }

  /** The same as an array of objects. */
  static String json(ServerContext context) {
    return write(
        json -> {
          json.writeStartArray();
          for (RunningPrograms.Listed listed : context.running().list()) {
            json.writeStartObject();
            json.writeNumberField("pid", listed.program().pid());
            json.writeNumberField("uid", listed.program().uid());
            json.writeStringField("since", listed.program().since().toString());
            json.writeStringField("rule", listed.program().rule());
            json.writeStringField("program", listed.program().program());
            json.writeBooleanField("of_earlier_server", listed.isSurvivor());
            json.writeEndObject();
          }
          json.writeEndArray();
        });
  }

  static String statusJson(ServerContext context) {
    RunningPrograms.Counts counts = context.running().counts();
    return write(
        json -> {
          json.writeStartObject();
          json.writeStringField("policy", context.policy().get().summary());
          json.writeNumberField("running", counts.running());
          json.writeNumberField("of_earlier_server", counts.survivors());
          json.writeNumberField("started", counts.started());
          json.writeNumberField("refused", counts.refused());
          json.writeEndObject();
        });
  }

  private interface Writing {
    void to(JsonGenerator json) throws IOException;
  }

  private static String write(Writing writing) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
      writing.to(json);
    } catch (IOException impossible) {
      throw new AssertionError(impossible);
    }
    return out.toString(UTF_8) + "\n";
  }
}
