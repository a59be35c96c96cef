package qtfs.qtcfg;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import qtfs.linux.ByteStrings;
import qtfs.linux.LinuxException;

/** The words of {@code qtinfo}. */
final class QtinfoCommands {
  private QtinfoCommands() {}

  static CommandSpec spec() {
    CommandSpec spec =
        CommandSpecs.program(
            Tool.QTINFO,
            "Shows what the qtfs kernel module and the proxy of this host do.",
            "qtinfo top                    what happens now, drawn over and over",
            "qtinfo stats --json           all counters, for a program",
            "qtinfo loglevel DEBUG         more in the kernel's log");
    CommandSpec stats = CommandSpecs.deviceCommand("stats", "Shows the counters of the module.");
    CommandSpec conns = CommandSpecs.deviceCommand("conns", "Shows the module's connections.");
    CommandSpec sizes =
        CommandSpecs.deviceCommand("sizes", "Shows the sizes of requests and responses.");
    CommandSpec proxy = CommandSpecs.command("proxy", "Shows what the proxy tells of itself.");
    CommandSpec logLevel =
        CommandSpecs.deviceCommand("loglevel", "Shows or sets the level of the module's log.");
    CommandSpec clear = CommandSpecs.deviceCommand("clear", "Sets the module's counters to 0.");
    CommandSpec epoll =
        CommandSpecs.deviceCommand("epoll", "Lets the client poll files of any kind, or FIFOs.");
    CommandSpec top = CommandSpecs.deviceCommand("top", "Shows the counters' rates, live.");
    CommandSpecs.operands(logLevel, "0..1", "[LEVEL]", "NONE, ERROR, WARN, INFO or DEBUG.");
    CommandSpecs.flag(logLevel, "--proxy", "Moves the proxy's level one step instead.");
    CommandSpecs.operands(epoll, "1", "any|fifo", "Which files.");
    List.of(logLevel, clear, epoll).forEach(CommandSpecs::dryRun);
    CommandSpecs.value(top, "--interval", "SECONDS", "Between two looks, default 1.");
    CommandSpecs.value(top, "--count", "N", "Ends after so many; otherwise with ^C.");
    for (CommandSpec each : List.of(stats, conns, sizes, proxy, logLevel, clear, epoll, top)) {
      spec.addSubcommand(each.name(), each);
    }
    return spec;
  }

  static Map<String, ModernFace.Command> commands() {
    return Map.of(
        "stats", QtinfoCommands::stats,
        "conns", QtinfoCommands::connections,
        "sizes", QtinfoCommands::sizes,
        "proxy", QtinfoCommands::proxy,
        "loglevel", QtinfoCommands::logLevel,
        "clear", QtinfoCommands::clear,
        "epoll", QtinfoCommands::epoll,
        "top", QtinfoCommands::top);
  }

  /** What the module tells of itself. */
  static QtInfo info(Device device) throws ToolException {
    try {
      return device.info();
    } catch (Device.RefusedException e) {
      throw new ToolException(ExitCode.PROTOCOL, device.path() + ": " + e.getMessage());
    } catch (Device.OtherVersionException e) {
      throw new ToolException(ExitCode.PROTOCOL, String.valueOf(e.getMessage()));
    }
  }

  private static int stats(Invocation invocation) throws ToolException {
    try (Device device = invocation.device()) {
      QtInfo info = info(device);
      Console console = invocation.console();
      if (invocation.has("--json")) {
        console.println(Json.line(json -> InfoJson.stats(json, device, info)));
      } else {
        StatsTable.lines(info).forEach(console::println);
      }
      return ExitCode.OK;
    }
  }

  private static int connections(Invocation invocation) throws ToolException {
    try (Device device = invocation.device()) {
      QtInfo info = info(device);
      Console console = invocation.console();
      if (invocation.has("--json")) {
        console.println(Json.line(json -> InfoJson.connections(json, device, info)));
        return ExitCode.OK;
      }
      for (int i = 0; i < QtInfo.CONNECTIONS; i++) {
        String holder = Shown.of(info.holders().get(i));
        console.println(
            StatsTable.row(
                String.valueOf(i + 1),
                info.states().get(i).name(),
                holder.isEmpty() ? "-" : holder));
      }
      console.println("epoll " + info.epollState());
      console.println("usable " + info.valid() + ", in use " + info.busy());
      return ExitCode.OK;
    }
  }

  private static int sizes(Invocation invocation) throws ToolException {
    try (Device device = invocation.device()) {
      QtInfo info = info(device);
      Console console = invocation.console();
      if (invocation.has("--json")) {
        console.println(Json.line(json -> InfoJson.sizes(json, device, info)));
        return ExitCode.OK;
      }
      console.println(StatsTable.row("event", "request", "response"));
      for (int i = 0; i < QtInfo.EVENTS.size(); i++) {
        console.println(
            StatsTable.row(
                QtInfo.EVENTS.get(i),
                String.valueOf(info.requestSizes().get(i)),
                String.valueOf(info.responseSizes().get(i))));
      }
      return ExitCode.OK;
    }
  }

  private static int proxy(Invocation invocation) throws ToolException {
    return ask(invocation, invocation.proxy().diagnostics());
  }

  private static int ask(Invocation invocation, String socket) throws ToolException {
    try {
      String answer = ProxySockets.ask(socket);
      Console console = invocation.console();
      if (invocation.has("--json")) {
        console.println(Json.line(json -> InfoJson.proxy(json, socket, answer)));
      } else {
        console.print(answer);
      }
      return ExitCode.OK;
    } catch (LinuxException e) {
      throw new ToolException(
          ExitCode.UNAVAILABLE, e.getMessage() + ": is udsproxyd or engine running?");
    }
  }

  private static int logLevel(Invocation invocation) throws ToolException {
    if (invocation.has("--proxy")) {
      if (!invocation.operands().isEmpty()) {
        throw new ToolException(
            ExitCode.USAGE, "--proxy takes no level: each call is one step NONE, ERROR, INFO");
      }
      if (invocation.has("--dry-run")) {
        invocation.console().println("would move the level of the proxy one step");
        return ExitCode.OK;
      }
      return ask(invocation, invocation.proxy().logLevel());
    }
    try (Device device = invocation.device()) {
      if (invocation.operands().isEmpty()) {
        return told(invocation, device, "logLevel", name(info(device).logLevel()));
      }
      String level = invocation.operands().get(0).toUpperCase(Locale.ROOT);
      if (!QtInfo.LOG_LEVELS.contains(level)) {
        throw new ToolException(
            ExitCode.USAGE,
            "'"
                + Shown.text(level)
                + "' is no level: take one of "
                + String.join(", ", QtInfo.LOG_LEVELS));
      }
      return set(invocation, device, "logLevel", level, () -> device.logLevel(level));
    }
  }

  static String name(int logLevel) {
    return logLevel >= 0 && logLevel < QtInfo.LOG_LEVELS.size()
        ? QtInfo.LOG_LEVELS.get(logLevel)
        : "UNKNOWN";
  }

  private static int clear(Invocation invocation) throws ToolException {
    try (Device device = invocation.device()) {
      return set(invocation, device, "counters", "0", device::clear);
    }
  }

  private static int epoll(Invocation invocation) throws ToolException {
    String files = invocation.operands().get(0);
    if (!List.of("any", "fifo").contains(files)) {
      throw new ToolException(ExitCode.USAGE, "'" + Shown.text(files) + "': take any or fifo");
    }
    try (Device device = invocation.device()) {
      if (device.role() == Role.SERVER) {
        throw new ToolException(
            ExitCode.PROTOCOL, device.path() + " has no such setting: it is the client's");
      }
      return set(
          invocation, device, "epoll", files, () -> device.epollAnyFile(files.equals("any")));
    }
  }

  private static int set(
      Invocation invocation, Device device, String what, String value, IntSupplier request)
      throws ToolException {
    int answer = invocation.has("--dry-run") ? 0 : request.getAsInt();
    if (answer != 0) {
      throw device.refused(what + " " + value, answer);
    }
    return told(invocation, device, what, value);
  }

  private static int told(Invocation invocation, Device device, String what, String value) {
    Console console = invocation.console();
    boolean dryRun = invocation.has("--dry-run");
    if (invocation.has("--json")) {
      console.println(
          Json.line(
              json -> {
                QtcfgCommands.module(json, device);
                json.writeStringField(what, value);
                json.writeBooleanField("dryRun", dryRun);
              }));
    } else {
      console.println(what + " " + value + (dryRun ? "; nothing was changed: --dry-run" : ""));
    }
    return ExitCode.OK;
  }

  private static int top(Invocation invocation) throws ToolException {
    double seconds = seconds(invocation.value("--interval"));
    int count = count(invocation.value("--count"));
    try (Device device = invocation.device()) {
      return new Top(device, invocation.console(), invocation.has("--json"))
          .run((long) (seconds * 1e9), count);
    }
  }

  private static double seconds(@Nullable String text) throws ToolException {
    if (text == null) {
      return 1;
    }
    if (text.matches("[0-9]{1,5}(\\.[0-9]{1,3})?") && Double.parseDouble(text) >= 0.1) {
      return Double.parseDouble(text);
    }
    throw new ToolException(
        ExitCode.USAGE, "--interval '" + Shown.text(text) + "': seconds from 0.1 to 99999");
  }

  private static int count(@Nullable String text) throws ToolException {
    if (text == null) {
      return Integer.MAX_VALUE;
    }
    if (text.matches("[0-9]{1,9}") && Integer.parseInt(text) > 0) {
      return Integer.parseInt(text);
    }
    throw new ToolException(
        ExitCode.USAGE, "--count '" + Shown.text(text) + "': a number from 1 to 999999999");
  }

  /** Members of JSON objects for {@link QtInfo}. */
  private static final class InfoJson {
    static void stats(JsonGenerator json, Device device, QtInfo info) throws IOException {
      QtcfgCommands.module(json, device);
      json.writeStringField("logLevel", name(info.logLevel()));
      QtInfo.Counters counters = info.counters();
      json.writeNumberField("activeConnections", counters.active());
      json.writeNumberField("epollAdded", counters.epollAdded());
      json.writeNumberField("epollDeleted", counters.epollDeleted());
      if (info.role() == Role.CLIENT) {
        json.writeNumberField("epollErrors", counters.epollErrors());
        json.writeNumberField("sequenceErrors", counters.sequenceErrors());
        json.writeNumberField("restarts", counters.restarts());
        json.writeNumberField("typeMismatches", counters.typeMismatches());
        events(json, "sendErrors", info.sendErrors());
        events(json, "receiveErrors", info.receiveErrors());
      }
      events(json, "sent", info.sent());
      events(json, "received", info.received());
      events(json, "checkErrors", info.check());
    }

    static void sizes(JsonGenerator json, Device device, QtInfo info) throws IOException {
      QtcfgCommands.module(json, device);
      events(json, "request", info.requestSizes());
      events(json, "response", info.responseSizes());
    }

    private static void events(JsonGenerator json, String name, List<Long> values)
        throws IOException {
      json.writeObjectFieldStart(name);
      for (int i = 0; i < QtInfo.EVENTS.size(); i++) {
        json.writeNumberField(QtInfo.EVENTS.get(i), values.get(i));
      }
      json.writeEndObject();
    }

    static void connections(JsonGenerator json, Device device, QtInfo info) throws IOException {
      QtcfgCommands.module(json, device);
      json.writeArrayFieldStart("connections");
      for (int i = 0; i < QtInfo.CONNECTIONS; i++) {
        json.writeStartObject();
        json.writeNumberField("number", i + 1);
        json.writeStringField("state", info.states().get(i).name());
        Json.bytes(json, "holder", info.holders().get(i));
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeStringField("epollState", info.epollState().name());
      json.writeNumberField("usable", info.valid());
      json.writeNumberField("inUse", info.busy());
    }

    /** Lines of the form {@code + name:value}. */
    static void proxy(JsonGenerator json, String socket, String answer) throws IOException {
      json.writeStringField("socket", socket);
      json.writeArrayFieldStart("lines");
      for (String line : ByteStrings.text(answer).lines().toList()) {
        if (line.startsWith("+ ") || line.startsWith("+\t")) {
          json.writeString(line.substring(1).strip());
        }
      }
      json.writeEndArray();
    }
  }
}
