package qtfs.qtcfg;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import qtfs.linux.LinuxException;
import qtfs.whitelist.Group;

/**
 * The command lines of the C programs: single letters, each done in the order of the line, with
 * their very output and exit codes.
 *
 * <p>Where theirs harm, ours differ (COMPATIBILITY.md has the list): an index that is no number, a
 * path that is too long, {@code -z} for one type, and a call that failed exits with a code that is
 * not 0.
 */
final class ShortOptions {
  private static final int FAILED = 255;
  private static final int TYPE_LENGTH = 15; // what the C programs look at
  private static final int ERROR_ANSWER = -1;

  private final Tool tool;
  private final String program;
  private final DeviceChoice choice;
  private final Console console;
  private final ProxySockets proxy;
  private Role role = Role.CLIENT;
  private @Nullable Device device;
  private String type = "";
  private boolean anythingDone;
  private int firstFailure;

  /**
   * @param program its name as it was called, for usage and mistakes
   */
  ShortOptions(
      Tool tool, String program, DeviceChoice choice, ProxySockets proxy, Console console) {
    this.tool = tool;
    this.program = program;
    this.choice = choice;
    this.proxy = proxy;
    this.console = console;
  }

  /** Does what the arguments say; returns the exit code. */
  int run(List<String> arguments, boolean posixlyCorrect) {
    DeviceChoice.Outcome outcome = choice.open();
    role = outcome.role();
    if (arguments.isEmpty() || arguments.get(0).equals("--help")) {
      console.print(tool.usage(program, role));
      return FAILED;
    }
    if (!take(outcome)) {
      return FAILED;
    }
    try (Device _ = device) {
      return options(new Getopt(tool.letters(), arguments, posixlyCorrect));
    }
  }

  /** Whether to go on: qtinfo does without a device. */
  private boolean take(DeviceChoice.Outcome outcome) {
    return switch (outcome) {
      case DeviceChoice.Opened(Device opened) -> {
        device = opened;
        yield true;
      }
      case DeviceChoice.Failed failed -> {
        console.println("ERROR: open file " + failed.path() + " failed.");
        if (!failed.isAbsent()) {
          console.error(program + ": " + failed.why());
        }
        yield tool == Tool.QTINFO;
      }
      case DeviceChoice.Absent absent -> {
        console.println("ERROR: open file " + role.devicePath() + " failed.");
        console.error(program + ": " + absent.why());
        yield tool == Tool.QTINFO;
      }
      case DeviceChoice.Unclear unclear -> {
        console.error(program + ": " + unclear.why());
        yield false;
      }
    };
  }

  private int options(Getopt getopt) {
    while (true) {
      switch (getopt.next()) {
        case Getopt.Option option -> {
          int code = option(option, getopt);
          firstFailure = firstFailure == 0 ? code : firstFailure;
        }
        case Getopt.Mistake mistake -> {
          console.error(program + ": " + mistake.what());
          console.print(tool.usage(program, role));
          return FAILED;
        }
        case Getopt.End _ -> {
          return anythingDone ? firstFailure : FAILED;
        }
      }
    }
  }

  private int option(Getopt.Option option, Getopt getopt) {
    @Nullable String argument = option.argument();
    if (option.letter() == 'w') {
      type = cut(requireNonNull(argument));
      return 0;
    }
    anythingDone = true;
    return switch (option.letter()) {
      case 'a' -> all();
      case 'c' -> code(clear());
      case 'l' -> logLevel(requireNonNull(argument));
      case 't' -> sizes();
      case 'p' -> epoll(requireNonNull(argument));
      case 'u' -> proxy(proxy.diagnostics());
      case 's' -> proxy(proxy.logLevel());
      case 'x' -> add(requireNonNull(argument));
      case 'y' -> delete(requireNonNull(argument));
      case 'z' -> list(argument == null ? getopt.following() : argument);
      default -> throw new IllegalStateException("option " + option.letter());
    };
  }

  private static String cut(String type) {
    return type.substring(0, Math.min(type.length(), TYPE_LENGTH));
  }

  private static int code(int answer) {
    return answer < 0 ? FAILED : answer;
  }

  private int all() {
    try {
      console.print(InfoText.all(requireDevice().info()));
      return 0;
    } catch (Device.RefusedException e) {
      int answer = Math.max(e.answer(), ERROR_ANSWER);
      console.println("ERROR: ioctl failed, ret:" + answer + ".");
      return code(answer);
    } catch (Device.OtherVersionException e) {
      console.println("ERROR: " + e.getMessage());
      return FAILED;
    }
  }

  private Device requireDevice() throws Device.RefusedException {
    if (device == null) {
      throw new Device.RefusedException(ERROR_ANSWER);
    }
    return device;
  }

  private int clear() {
    return device == null ? ERROR_ANSWER : device.clear();
  }

  private int logLevel(String level) {
    int answer = device == null ? ERROR_ANSWER : device.logLevel(level);
    console.println(
        answer == 0
            ? "Set qtfs log level to " + level + " success."
            : "ERROR: Set qtfs log level:" + level + " failed.");
    return code(answer);
  }

  private int sizes() {
    try {
      console.print(InfoText.sizes(requireDevice().info()));
      return 0;
    } catch (Device.RefusedException e) {
      console.print(InfoText.sizes(QtInfo.blank(role)));
      return code(e.answer());
    } catch (Device.OtherVersionException e) {
      console.println("ERROR: " + e.getMessage());
      return FAILED;
    }
  }

  private int epoll(String mode) {
    boolean any = Numbers.leading(mode) == 1;
    String files = any ? "any" : "fifo";
    int answer = device == null ? ERROR_ANSWER : device.epollAnyFile(any);
    console.println(
        answer == 0
            ? "Set qtfs epoll support to " + files + " file success."
            : "Set qtfs epoll support to:" + files + " file failed.");
    return code(answer);
  }

  private int proxy(String socket) {
    try {
      console.print(ProxySockets.ask(socket));
      return 0;
    } catch (LinuxException _) {
      console.println("ERROR: connect to " + socket + " failed.");
      return FAILED;
    }
  }

  private int add(String path) {
    Optional<Group> group = group(type);
    if (group.isEmpty()) {
      console.println("ERROR: White list add type:" + type + " unknown.");
    } else if (path.isEmpty() || path.length() > WlItem.MAX_LENGTH) {
      console.println("ERROR: White list add len:" + path.length() + " invalid");
    } else if (device == null || device.add(number(group.get()), path) != 0) {
      console.println("ERROR: ioctl add white list failed");
    } else {
      console.println("successed to add white list item:" + path + " successed");
      return 0;
    }
    return FAILED;
  }

  private int delete(String index) {
    Optional<Group> group = group(type);
    if (group.isEmpty()) {
      console.println("ERROR: White list delete type:" + type + " unknown.");
      return FAILED;
    }
    int wanted = Numbers.index(index);
    if (wanted < 0 || device == null || device.delete(number(group.get()), wanted) != 0) {
      console.println("ERROR: failed to delete white list index:" + index);
      return FAILED;
    }
    console.println("successed to delete white list index:" + index);
    return 0;
  }

  /** One list if a type is named in any of the three ways, otherwise all. */
  private int list(@Nullable String named) {
    if (device == null) {
      return FAILED;
    }
    Optional<Group> group = named == null ? Optional.empty() : group(cut(named));
    if (group.isEmpty()) {
      group = group(type);
    }
    try {
      for (Group each : group.isPresent() ? List.of(group.get()) : role.groups()) {
        list(device, each);
      }
      return 0;
    } catch (Device.RefusedException e) {
      console.println("ERROR: ioctl failed: " + e.getMessage());
      return FAILED;
    }
  }

  private void list(Device device, Group group) throws Device.RefusedException {
    console.println("Get qtfs <" + group.title() + "> white list:");
    for (int index = 0; index <= WlItem.MAX_INDEX; index++) {
      Optional<String> entry = device.get(number(group), index);
      if (entry.isEmpty()) {
        return;
      }
      console.println("  [index:" + index + "][path:" + entry.get() + "]");
    }
  }

  private Optional<Group> group(String name) {
    for (Group group : role.groups()) {
      if (group.title().equalsIgnoreCase(name)) {
        return Optional.of(group);
      }
    }
    return Optional.empty();
  }

  private int number(Group group) {
    return role.groups().indexOf(group);
  }
}
