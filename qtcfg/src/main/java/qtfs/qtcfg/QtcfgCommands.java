package qtfs.qtcfg;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import qtfs.linux.ByteStrings;
import qtfs.whitelist.Group;
import qtfs.whitelist.Lint;
import qtfs.whitelist.QtfsWhitelist;
import qtfs.whitelist.WhitelistException;

/** The words of {@code qtcfg}. */
final class QtcfgCommands {
  private static final String WHITELIST = "/etc/qtfs/whitelist";
  private static final Set<PosixFilePermission> MODE = PosixFilePermissions.fromString("rw-r--r--");

  private QtcfgCommands() {}

  static CommandSpec spec() {
    CommandSpec spec =
        CommandSpecs.program(
            Tool.QTCFG,
            "Shows and changes the lists of the qtfs kernel module.",
            "qtcfg diff                    whether module and file agree",
            "qtcfg load --dry-run          what a load would change",
            "qtcfg add udsconnect /run/x   one entry more, until the module is unloaded",
            "qtcfg explain open /srv/a     which entry allows it");
    CommandSpec list = CommandSpecs.deviceCommand("list", "Shows the lists of the module.");
    CommandSpec add = CommandSpecs.deviceCommand("add", "Adds entries to a list of the module.");
    CommandSpec del = CommandSpecs.deviceCommand("del", "Removes entries from a list.");
    CommandSpec load =
        CommandSpecs.deviceCommand(
            "load", "Makes the module's lists equal to a file; what stays is never missing.");
    CommandSpec save = CommandSpecs.deviceCommand("save", "Writes the lists as a whitelist file.");
    CommandSpec diff =
        CommandSpecs.deviceCommand("diff", "Compares: + in the file only, - in the module only.");
    CommandSpec check = CommandSpecs.command("check", "Tells all that is wrong with a file.");
    CommandSpec explain =
        CommandSpecs.deviceCommand("explain", "Tells which entry allows an operation on a path.");
    CommandSpecs.operands(list, "0..*", "[TYPE...]", "Lists to show; all of them without.");
    CommandSpecs.dryRun(CommandSpecs.operands(add, "2..*", "TYPE PATH...", "Such as open /srv."));
    CommandSpecs.dryRun(CommandSpecs.operands(del, "1..*", "TYPE [PATH...]", "Such as open /srv."));
    CommandSpecs.value(del, "--index", "N", "Removes the entry at this index instead of a path.");
    CommandSpecs.dryRun(CommandSpecs.operands(load, "0..1", "[FILE]", "Default " + WHITELIST));
    CommandSpecs.operands(save, "0..1", "[FILE]", "Default standard output");
    CommandSpecs.dryRun(
        CommandSpecs.flag(save, "--force", "Replaces a file, keeping groups not the module's."));
    CommandSpecs.operands(diff, "0..1", "[FILE]", "Default " + WHITELIST);
    CommandSpecs.operands(check, "0..1", "[FILE]", "Default " + WHITELIST);
    CommandSpecs.operands(explain, "2", "TYPE PATH", "For kill, the name of a task.");
    CommandSpecs.value(explain, "--file", "FILE", "Asks this file instead of the module.");
    for (CommandSpec each : List.of(list, add, del, load, save, diff, check, explain)) {
      spec.addSubcommand(each.name(), each);
    }
    return spec;
  }

  static Map<String, ModernFace.Command> commands() {
    return Map.of(
        "list", QtcfgCommands::list,
        "add", QtcfgCommands::add,
        "del", QtcfgCommands::del,
        "load", QtcfgCommands::load,
        "save", QtcfgCommands::save,
        "diff", QtcfgCommands::diff,
        "check", QtcfgCommands::check,
        "explain", QtcfgCommands::explain);
  }

  private static int list(Invocation invocation) throws ToolException {
    try (Device device = invocation.device()) {
      List<Group> groups = new ArrayList<>();
      for (String name : invocation.operands()) {
        groups.add(Invocation.group(device.role(), name));
      }
      List<Group> shown = groups.isEmpty() ? device.role().groups() : groups;
      KernelLists lists = KernelLists.read(device);
      Console console = invocation.console();
      if (invocation.has("--json")) {
        console.println(Json.line(json -> lists(json, device, shown, lists)));
        return ExitCode.OK;
      }
      for (Group group : shown) {
        console.println("[" + group.title() + "]");
        int index = 0;
        for (String path : lists.of(group)) {
          console.println("  " + index++ + "  " + Shown.of(path));
        }
      }
      return ExitCode.OK;
    }
  }

  private static void lists(
      JsonGenerator json, Device device, List<Group> groups, KernelLists lists) throws IOException {
    module(json, device);
    json.writeObjectFieldStart("lists");
    for (Group group : groups) {
      json.writeArrayFieldStart(group.title());
      for (String path : lists.of(group)) {
        json.writeString(ByteStrings.text(path));
      }
      json.writeEndArray();
    }
    json.writeEndObject();
  }

  static void module(JsonGenerator json, Device device) throws IOException {
    json.writeStringField("role", device.role().word());
    json.writeStringField("device", device.path());
  }

  private static int add(Invocation invocation) throws ToolException {
    try (Device device = invocation.device()) {
      List<String> operands = invocation.operands();
      Group group = Invocation.group(device.role(), operands.get(0));
      List<String> paths = operands.subList(1, operands.size());
      for (String path : paths) {
        requireFit(group, path);
      }
      KernelLists lists = KernelLists.read(device);
      List<String> wanted = new ArrayList<>(lists.of(group));
      for (String path : paths) {
        if (!wanted.contains(path)) {
          wanted.add(path);
        }
      }
      if (wanted.size() > Leveller.MOST_ENTRIES) {
        throw new ToolException(
            ExitCode.PROTOCOL,
            "["
                + group.title()
                + "] would have "
                + wanted.size()
                + " entries, and holds 64: name"
                + " directories instead of files");
      }
      return level(invocation, device, lists, group, wanted);
    }
  }

  private static void requireFit(Group group, String path) throws ToolException {
    String text = ByteStrings.text(path);
    if (group.fault(text).isPresent()) {
      throw new ToolException(
          ExitCode.DATA, "entry '" + Shown.text(path) + "' " + group.fault(text).get());
    }
  }

  private static int del(Invocation invocation) throws ToolException {
    try (Device device = invocation.device()) {
      List<String> operands = invocation.operands();
      Group group = Invocation.group(device.role(), operands.get(0));
      List<String> paths = new ArrayList<>(operands.subList(1, operands.size()));
      KernelLists lists = KernelLists.read(device);
      List<String> is = lists.of(group);
      @Nullable String index = invocation.value("--index");
      if ((index == null) == paths.isEmpty()) {
        throw new ToolException(ExitCode.USAGE, "del wants either paths or --index");
      }
      if (index != null) {
        paths.add(is.get(index(index, group, is.size())));
      }
      for (String path : paths) {
        if (!is.contains(path)) {
          throw new ToolException(
              ExitCode.DATA, "[" + group.title() + "] has no entry '" + Shown.text(path) + "'");
        }
      }
      List<String> wanted = new ArrayList<>(is);
      wanted.removeAll(paths);
      return level(invocation, device, lists, group, wanted);
    }
  }

  private static int index(String text, Group group, int count) throws ToolException {
    int index = Numbers.index(text);
    if (index < 0) {
      throw new ToolException(ExitCode.USAGE, "--index '" + text + "': a number from 0 to 1023");
    }
    if (index >= count) {
      throw new ToolException(
          ExitCode.DATA,
          "[" + group.title() + "] has no index " + index + ": it has " + count + " entries");
    }
    return index;
  }

  private static int level(
      Invocation invocation, Device device, KernelLists lists, Group group, List<String> wanted)
      throws ToolException {
    Leveller leveller = new Leveller(device, dryRun(invocation));
    return report(invocation, device, leveller.level(lists, List.of(group), Map.of(group, wanted)));
  }

  private static boolean dryRun(Invocation invocation) {
    return invocation.has("--dry-run");
  }

  private static int report(Invocation invocation, Device device, List<Change> changes) {
    Console console = invocation.console();
    if (invocation.has("--json")) {
      console.println(
          Json.line(
              json -> {
                module(json, device);
                json.writeBooleanField("dryRun", dryRun(invocation));
                changes(json, changes);
              }));
      return ExitCode.OK;
    }
    changes.forEach(change -> console.println(change.line()));
    if (changes.isEmpty()) {
      console.println("nothing to change");
    } else if (dryRun(invocation)) {
      console.println("nothing was changed: --dry-run");
    }
    return ExitCode.OK;
  }

  private static void changes(JsonGenerator json, List<Change> changes) throws IOException {
    json.writeArrayFieldStart("changes");
    for (Change change : changes) {
      json.writeStartObject();
      json.writeStringField("action", change.action().word());
      json.writeStringField("group", change.group().title());
      Json.bytes(json, "path", change.path());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static int load(Invocation invocation) throws ToolException {
    QtfsWhitelist whitelist = whitelist(invocation.file(WHITELIST));
    try (Device device = invocation.device()) {
      Leveller leveller = new Leveller(device, dryRun(invocation));
      Role role = device.role();
      return report(
          invocation,
          device,
          leveller.level(
              KernelLists.read(device), role.groups(), Leveller.wanted(role, whitelist)));
    }
  }

  private static QtfsWhitelist whitelist(Path file) throws ToolException {
    try {
      return QtfsWhitelist.load(file);
    } catch (WhitelistException e) {
      int code = Files.notExists(file) ? ExitCode.NO_INPUT : ExitCode.DATA;
      throw new ToolException(code, String.valueOf(e.getMessage()));
    }
  }

  private static int diff(Invocation invocation) throws ToolException {
    QtfsWhitelist whitelist = whitelist(invocation.file(WHITELIST));
    try (Device device = invocation.device()) {
      Role role = device.role();
      List<Change> changes =
          Leveller.changes(
              role.groups(), KernelLists.read(device), Leveller.wanted(role, whitelist));
      Console console = invocation.console();
      if (invocation.has("--json")) {
        console.println(
            Json.line(
                json -> {
                  module(json, device);
                  changes(json, changes);
                }));
      } else {
        changes.forEach(change -> console.println(change.line()));
      }
      return changes.isEmpty() ? ExitCode.OK : ExitCode.NO;
    }
  }

  private static int save(Invocation invocation) throws ToolException {
    try (Device device = invocation.device()) {
      Map<Group, List<String>> entries = new EnumMap<>(Group.class);
      KernelLists lists = KernelLists.read(device);
      for (Group group : device.role().groups()) {
        for (String path : lists.of(group)) {
          entries.computeIfAbsent(group, _ -> new ArrayList<>()).add(text(group, path));
        }
      }
      if (invocation.operands().isEmpty()) {
        invocation.console().print(ByteStrings.of(QtfsWhitelist.text(entries)));
        return ExitCode.OK;
      }
      return save(invocation, device.role(), entries, invocation.file(WHITELIST));
    }
  }

  /** A file holds UTF-8 only, or nothing of it is read. */
  private static String text(Group group, String path) throws ToolException {
    String text = ByteStrings.text(path);
    if (!ByteStrings.of(text).equals(path)) {
      throw new ToolException(
          ExitCode.DATA,
          "[" + group.title() + "] " + Shown.text(path) + " is not UTF-8: no file can hold it");
    }
    return text;
  }

  private static int save(
      Invocation invocation, Role role, Map<Group, List<String>> entries, Path file)
      throws ToolException {
    if (Files.exists(file)) {
      if (!invocation.has("--force")) {
        throw new ToolException(
            ExitCode.CANNOT_CREATE, file + " exists: its comments would be lost; or add --force");
      }
      QtfsWhitelist old = whitelist(file);
      for (Group group : Group.values()) {
        if (!role.groups().contains(group)) {
          entries.put(group, old.entries(group));
        }
      }
    }
    String text = QtfsWhitelist.text(entries);
    if (dryRun(invocation)) {
      invocation.console().print(ByteStrings.of(text));
      return ExitCode.OK;
    }
    write(file, text);
    invocation.console().println("wrote " + ByteStrings.of(file.toString()));
    return ExitCode.OK;
  }

  /** In one piece: whoever reads it sees the old file or the new one. */
  private static void write(Path file, String text) throws ToolException {
    try {
      Path directory = file.toAbsolutePath().getParent();
      Path written = Files.createTempFile(directory, ".whitelist", "");
      try {
        Files.write(written, text.getBytes(UTF_8));
        Files.setPosixFilePermissions(written, MODE);
        Files.move(written, file, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(written);
      }
    } catch (IOException e) {
      throw new ToolException(ExitCode.CANNOT_CREATE, file + " cannot be written: " + e);
    }
  }

  private static int check(Invocation invocation) {
    Path file = invocation.file(WHITELIST);
    List<Lint.Finding> findings = Lint.of(file);
    Console console = invocation.console();
    if (invocation.has("--json")) {
      console.println(Json.line(json -> findings(json, file, findings)));
    } else {
      findings.forEach(finding -> console.println(ByteStrings.of(finding.toString())));
    }
    if (findings.stream().allMatch(finding -> finding.severity() == Lint.Severity.WARNING)) {
      return ExitCode.OK;
    }
    return Files.notExists(file) ? ExitCode.NO_INPUT : ExitCode.DATA;
  }

  private static void findings(JsonGenerator json, Path file, List<Lint.Finding> findings)
      throws IOException {
    json.writeStringField("file", file.toString());
    json.writeArrayFieldStart("findings");
    for (Lint.Finding finding : findings) {
      json.writeStartObject();
      json.writeStringField(
          "severity", finding.severity() == Lint.Severity.ERROR ? "error" : "warning");
      json.writeNumberField("line", finding.problem().line());
      json.writeNumberField("column", finding.problem().column());
      json.writeStringField("text", finding.problem().text());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static int explain(Invocation invocation) throws ToolException {
    @Nullable String file = invocation.value("--file");
    if (file != null) {
      String name = invocation.operands().get(0);
      Group group =
          Group.named(name)
              .orElseThrow(() -> new ToolException(ExitCode.USAGE, "no group '" + name + "'"));
      QtfsWhitelist whitelist = whitelist(Path.of(ByteStrings.text(file)));
      List<String> entries = whitelist.entries(group).stream().map(ByteStrings::of).toList();
      return explain(invocation, group, entries, file);
    }
    try (Device device = invocation.device()) {
      Group group = Invocation.group(device.role(), invocation.operands().get(0));
      List<String> entries = KernelLists.read(device).of(group);
      return explain(invocation, group, entries, ByteStrings.of(device.path()));
    }
  }

  private static int explain(
      Invocation invocation, Group group, List<String> entries, String source) {
    String path = invocation.operands().get(1);
    int found = -1;
    for (int i = 0; i < entries.size() && found < 0; i++) {
      // Bytes in chars compare as the kernel compares bytes.
      found = group.allows(entries.get(i), path) ? i : -1;
    }
    int index = found;
    Console console = invocation.console();
    if (invocation.has("--json")) {
      console.println(
          Json.line(
              json -> {
                json.writeBooleanField("allowed", index >= 0);
                json.writeStringField("group", group.title());
                Json.bytes(json, "path", path);
                Json.bytes(json, "source", source);
                if (index >= 0) {
                  Json.bytes(json, "entry", entries.get(index));
                  json.writeNumberField("index", index);
                }
                json.writeStringField("rule", group.ruleInWords());
              }));
    } else if (index >= 0) {
      console.println(
          "allowed: entry "
              + index
              + " of ["
              + group.title()
              + "] in "
              + source
              + ": "
              + Shown.of(entries.get(index)));
      console.println("rule: " + group.ruleInWords());
    } else {
      console.println(
          "not allowed: none of the "
              + entries.size()
              + " entries of ["
              + group.title()
              + "] in "
              + source
              + " matches "
              + Shown.of(path));
      console.println("rule: " + group.ruleInWords());
      console.println(
          "would allow it: " + Shown.of(ByteStrings.of(group.line(ByteStrings.text(path)))));
    }
    return index >= 0 ? ExitCode.OK : ExitCode.NO;
  }
}
