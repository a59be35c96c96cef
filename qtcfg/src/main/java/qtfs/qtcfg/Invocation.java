package qtfs.qtcfg;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ParseResult;
import qtfs.linux.ByteStrings;
import qtfs.linux.Errno;
import qtfs.whitelist.Group;

/**
 * A parsed command line of the modern face, and what its command needs.
 *
 * @param line of the command itself
 * @param choice from the front of the line
 */
record Invocation(ParseResult line, DeviceChoice choice, ProxySockets proxy, Console console) {

  boolean has(String option) {
    return line.hasMatchedOption(option);
  }

  @Nullable String value(String option) {
    return line.matchedOptionValue(option, null);
  }

  /** The operands, byte strings. */
  List<String> operands() {
    return line.matchedPositionalValue(0, List.of());
  }

  /** The first operand as a file, or another file. */
  Path file(String otherwise) {
    List<String> operands = operands();
    return Path.of(operands.isEmpty() ? otherwise : ByteStrings.text(operands.get(0)));
  }

  /** The device, the caller's to close. */
  Device device() throws ToolException {
    @Nullable String role = value("--role");
    @Nullable String path = value("--device");
    DeviceChoice wanted =
        new DeviceChoice(
            role == null ? choice.role() : role(role),
            path == null ? choice.path() : ByteStrings.text(path));
    return switch (wanted.open()) {
      case DeviceChoice.Opened(Device device) -> device;
      case DeviceChoice.Failed failed -> throw new ToolException(code(failed), failed.why());
      case DeviceChoice.Absent absent ->
          throw new ToolException(ExitCode.UNAVAILABLE, absent.why());
      case DeviceChoice.Unclear unclear ->
          throw new ToolException(ExitCode.CONFIGURATION, unclear.why());
    };
  }

  private static int code(DeviceChoice.Failed failed) {
    boolean denied = failed.errno() == Errno.EACCES || failed.errno() == Errno.EPERM;
    return denied ? ExitCode.NO_PERMISSION : ExitCode.UNAVAILABLE;
  }

  private static Role role(String word) throws ToolException {
    return Role.named(word)
        .orElseThrow(
            () ->
                new ToolException(
                    ExitCode.USAGE, "--role " + word + ": the roles are client and server"));
  }

  /** A group of a role. */
  static Group group(Role role, String name) throws ToolException {
    Optional<Group> group = Group.named(name);
    if (group.isPresent() && role.groups().contains(group.get())) {
      return group.get();
    }
    String known =
        String.join(
            ", ", role.groups().stream().map(g -> g.title().toLowerCase(Locale.ROOT)).toList());
    throw new ToolException(
        ExitCode.USAGE, "'" + name + "' is no list of the " + role.word() + ": take " + known);
  }
}
