package qtfs.qtcfg;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * D1: each command line that was recorded on the real modules prints those bytes and exits with
 * that code, in the order of the recording, for what one leaves is what the next one finds.
 *
 * <p>Where ours differ on purpose, {@link #expected} says how.
 */
final class RecordedCommandLinesTest {
  private static final String RUN_DIRECTORY = "/var/run/qtfs";
  private static final int LONG_LINE = 200;

  @TempDir private Path directory;

  /** A command line with what it printed. */
  record Step(String command, String out, String err, int code) {
    Tool tool() {
      return command.startsWith("qtinfo") ? Tool.QTINFO : Tool.QTCFG;
    }

    List<String> arguments() {
      return Arrays.stream(command.split(" ", -1)).skip(1).toList();
    }

    String line() {
      return command.substring(command.indexOf(' ') + 1);
    }

    Step answers(String newOut, int newCode) {
      return new Step(command, newOut, err, newCode);
    }
  }

  @TestFactory
  Stream<DynamicTest> client() throws IOException {
    return tests(Role.CLIENT);
  }

  @TestFactory
  Stream<DynamicTest> server() throws IOException {
    return tests(Role.SERVER);
  }

  private Stream<DynamicTest> tests(Role role) throws IOException {
    SimulatedKernel kernel = new SimulatedKernel(directory);
    List<DynamicTest> tests = new ArrayList<>();
    List<String> lines = recorded(role);
    int insmod = lines.indexOf("#### insmod (default log level)");
    steps(lines.subList(0, insmod))
        .forEach(
            step ->
                tests.add(
                    DynamicTest.dynamicTest(
                        "no module: " + step.command(), () -> withoutModule(kernel, role, step))));
    tests.add(DynamicTest.dynamicTest("insmod", () -> kernel.load(role)));
    steps(lines.subList(insmod, lines.size()))
        .forEach(
            step ->
                tests.add(DynamicTest.dynamicTest(step.command(), () -> withModule(kernel, step))));
    assertThat(tests).hasSizeGreaterThan(90);
    return tests.stream();
  }

  private static List<String> recorded(Role role) throws IOException {
    String name = "cli-" + role.word() + ".txt";
    try (InputStream in =
        requireNonNull(RecordedCommandLinesTest.class.getResourceAsStream(name))) {
      return new String(in.readAllBytes(), UTF_8).lines().toList();
    }
  }

  /**
   * The commands of a recording. Two kinds of lines between them were not recorded as commands:
   * attempts at long paths and two listings; and one list was emptied in silence.
   */
  private static List<Step> steps(List<String> lines) {
    List<Step> steps = new ArrayList<>();
    String tool = "qtcfg";
    int at = 0;
    while (at < lines.size()) {
      String line = lines.get(at);
      int end = at + 1;
      if (line.startsWith("$ ")) {
        end = indexOf(lines, at, "[rc=");
        Step step = step(line.substring(2), lines.subList(at + 1, end + 1));
        tool = step.tool().word();
        if (line.endsWith("-zudsconnect") && steps.getLast().line().endsWith("-y 1")) {
          steps.add(new Step(tool + " (empties the list)", "", "", 0));
        }
        steps.add(step);
        end++;
      } else if (line.startsWith("-- path lengths")) {
        end = indexOf(lines, at, "Get qtfs");
        steps.addAll(pathLengths(tool, line, lines.subList(at + 1, end)));
      } else if (line.startsWith("Get qtfs")) {
        end = indexOf(lines, at, "$ ");
        String type = steps.getLast().line().endsWith("-y 0") ? "udsconnect" : "";
        steps.add(new Step(tool + " -z" + type, text(lines.subList(at, end)), "", 0));
      }
      at = end;
    }
    return steps;
  }

  private static int indexOf(List<String> lines, int from, String start) {
    int at = from;
    while (!lines.get(at).startsWith(start)) {
      at++;
    }
    return at;
  }

  private static String text(List<String> lines) {
    return lines.stream().map(line -> line + "\n").collect(Collectors.joining());
  }

  private static Step step(String command, List<String> lines) {
    List<String> out = new ArrayList<>();
    List<String> err = new ArrayList<>();
    for (String line : lines.subList(0, lines.size() - 1)) {
      (line.startsWith("2> ") ? err : out).add(line.replaceFirst("^2> ", ""));
    }
    String last = lines.getLast();
    int code = Integer.parseInt(last.substring("[rc=".length(), last.length() - 1));
    return new Step(command, text(out), text(err), code);
  }

  private static List<Step> pathLengths(String tool, String header, List<String> lines) {
    List<Step> steps = new ArrayList<>();
    int at = 0;
    for (String length : header.replace("-- path lengths ", "").split(" ")) {
      String path = "/" + "a".repeat(Integer.parseInt(length) - 1);
      String[] end = lines.get(at + 1).replaceAll("[^0-9 ]", "").strip().split(" ");
      String out = lines.get(at).replace("/<a...>", path) + "\n";
      steps.add(
          new Step(
              tool + " -w udsconnect -x " + path, out, "", Integer.parseInt(end[end.length - 1])));
      at += 2;
    }
    return steps;
  }

  private static void withoutModule(SimulatedKernel kernel, Role role, Step recorded) {
    List<String> arguments = new ArrayList<>(List.of("--role", role.word()));
    arguments.addAll(recorded.arguments());
    // Nothing can be listed, and that is no success.
    Step step =
        recorded.command().equals("qtinfo -z")
            ? recorded.answers(recorded.out().lines().findFirst().orElseThrow() + "\n", 255)
            : recorded;
    check(kernel, step, arguments);
  }

  private static void withModule(SimulatedKernel kernel, Step recorded) {
    if (recorded.command().endsWith("(empties the list)")) {
      while (kernel.run(recorded.tool(), List.of("-w", "udsconnect", "-y", "0")).code() == 0) {}
      return;
    }
    check(kernel, expected(recorded), recorded.arguments());
  }

  private static void check(SimulatedKernel kernel, Step step, List<String> arguments) {
    SimulatedKernel.Result result = kernel.run(step.tool(), arguments);
    assertThat(shortened(result.out()))
        .isEqualTo(shortened(step.out()).replace(RUN_DIRECTORY + "/", kernel.directory() + "/"));
    assertThat(result.err()).isEqualTo(step.err());
    assertThat(result.code()).isEqualTo(step.code());
  }

  /** The rows of COMPATIBILITY.md. */
  private static Step expected(Step recorded) {
    String line = recorded.line();
    if (!recorded.err().isEmpty()) {
      return recorded.answers(recorded.out(), 255);
    }
    if (line.equals("-z udsconnect") || line.endsWith(" -z")) {
      return recorded.answers(onlyUdsconnect(recorded.out()), recorded.code());
    }
    if (List.of("-1", "abc", "1024").contains(line.replace("-w udsconnect -y ", ""))) {
      String index = line.substring(line.lastIndexOf(' ') + 1);
      return recorded.answers("ERROR: failed to delete white list index:" + index + "\n", 255);
    }
    int tooLong = line.length() - "-w udsconnect -x ".length();
    if (tooLong > 4095) {
      return recorded.answers("ERROR: White list add len:" + tooLong + " invalid\n", 255);
    }
    // What those three deleted and two stored is not here.
    String out =
        recorded
            .out()
            .replace("  [index:6][path:/]\n  [index:7][path:/aaaaaa]\n", "")
            .replace("  [index:0][path:/]\n", "  [index:0][path:/var/run/rexec]\n");
    return recorded.answers(out, recorded.code());
  }

  private static String onlyUdsconnect(String listing) {
    StringBuilder out = new StringBuilder();
    boolean in = true;
    for (String line : listing.lines().toList()) {
      if (line.startsWith("Get qtfs <")) {
        in = line.contains("<Udsconnect>");
      }
      out.append(in ? line + "\n" : "");
    }
    return out.toString();
  }

  private static String shortened(String text) {
    return text.lines()
        .map(
            line ->
                line.startsWith("  [index:") && line.length() > LONG_LINE
                    ? "  <line of " + line.length() + " chars>"
                    : line)
        .map(line -> line + "\n")
        .collect(Collectors.joining());
  }
}
