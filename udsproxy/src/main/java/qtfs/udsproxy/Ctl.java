package qtfs.udsproxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import qtfs.linux.Log;

/**
 * The command {@code udsproxyd ctl}: asks and tells the daemon of a run directory, which may be
 * {@code engine} too. Exit codes of sysexits.h: 0 done, 1 failed, 64 wrong usage, 69 no daemon.
 */
final class Ctl {
  static final int OK = 0;
  static final int FAILED = 1;
  static final int USAGE = 64; // EX_USAGE
  static final int UNAVAILABLE = 69; // EX_UNAVAILABLE

  /**
   * A command, of the same name as the daemon's.
   *
   * @param argument name of the request's member that the operand becomes; empty for none
   * @param label of the operand
   */
  private record Command(
      String name, String argument, String label, String meaning, String description) {
    Command(String name, String description) {
      this(name, "", "", "", description);
    }
  }

  private static final List<Command> COMMANDS =
      List.of(
          new Command(
              "expose",
              "spec",
              "SPEC",
              "PEERPATH[=LOCALPATH][,type=stream][,mode=0660][,owner=USER][,group=GROUP]",
              "Makes a socket of this host that leads to one of the peer's."),
          new Command(
              "unexpose",
              "local",
              "LOCALPATH",
              "the socket of this host",
              "Removes one; its sessions stay."),
          new Command("exposed", "Lists what is exposed."),
          new Command("sessions", "Lists the sessions."),
          new Command("status", "Tells how the daemon is."),
          new Command("drain", "Takes no new sessions, and ends with the last one."),
          new Command(
              "log-level",
              "level",
              "LEVEL",
              "NONE, ERROR, WARN, INFO or DEBUG",
              "Logs so much from now on."));

  private final PrintStream out;
  private final PrintStream err;

  Ctl(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  /** Runs a command line without its {@code ctl}; the exit code. */
  int run(List<String> arguments) {
    CommandLine commandLine = new CommandLine(spec());
    commandLine.setOut(new PrintWriter(out, true, UTF_8)).setExpandAtFiles(false);
    try {
      ParseResult parsed = commandLine.parseArgs(arguments.toArray(String[]::new));
      if (CommandLine.executeHelpRequest(parsed) != null) {
        return OK;
      }
      if (!parsed.hasSubcommand()) {
        throw new ParameterException(commandLine, "there is no command");
      }
      return run(parsed.subcommand());
    } catch (ParameterException e) {
      return complain(USAGE, e.getMessage() + "; try udsproxyd ctl --help");
    } catch (ControlClient.NotRunningException e) {
      return complain(UNAVAILABLE, e.getMessage());
    } catch (IOException e) {
      return complain(FAILED, e.getMessage());
    }
  }

  private int complain(int code, @Nullable String line) {
    err.println("udsproxyd ctl: " + Log.escape(String.valueOf(line)));
    return code;
  }

  private static CommandSpec spec() {
    CommandSpec spec = CommandSpec.create().name("udsproxyd ctl").mixinStandardHelpOptions(true);
    spec.version("udsproxyd " + Udsproxyd.version());
    spec.usageMessage()
        .description("Asks and tells the udsproxyd or engine that runs on this host.")
        .footer("Exit codes: 0 done, 1 failed, 64 wrong usage, 69 nothing runs there.");
    for (Command command : COMMANDS) {
      CommandSpec sub = CommandSpec.create().name(command.name()).mixinStandardHelpOptions(true);
      sub.usageMessage().description(command.description());
      sub.addOption(ProxyOptions.flag("--json", "print the daemon's answer, a JSON object"));
      sub.addOption(ProxyOptions.path("--run-dir", "DIR", "of the daemon (default /var/run/qtfs)"));
      if (!command.argument().isEmpty()) {
        sub.addPositional(ProxyOptions.positional(0, command.label(), command.meaning()));
      }
      spec.addSubcommand(command.name(), sub);
    }
    return spec;
  }

  private int run(ParseResult parsed) throws IOException {
    Path directory =
        ProxyOptions.optionalPath(parsed, "--run-dir", ProxyOptions.defaultRunDirectory());
    String line = new ControlClient(directory).ask(request(parsed));
    Map<String, @Nullable Object> answer = Json.object(line);
    if (!Boolean.TRUE.equals(answer.get("ok"))) {
      throw new IOException(String.valueOf(answer.get("error")));
    }
    if (parsed.hasMatchedOption("--json")) {
      out.println(line);
    } else {
      String command = parsed.commandSpec().name();
      CtlText.of(command, answer).forEach(text -> out.println(Log.escape(text)));
    }
    return out.checkError() ? FAILED : OK;
  }

  private static String request(ParseResult parsed) {
    String name = parsed.commandSpec().name();
    Map<String, String> members = new LinkedHashMap<>(Map.of("command", name));
    for (Command command : COMMANDS) {
      if (command.name().equals(name) && !command.argument().isEmpty()) {
        members.put(
            command.argument(), Objects.requireNonNull(parsed.matchedPositionalValue(0, "")));
      }
    }
    return Json.line(
        json -> {
          for (Map.Entry<String, String> member : members.entrySet()) {
            json.writeStringField(member.getKey(), member.getValue());
          }
        });
  }
}
