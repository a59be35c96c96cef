package qtfs.dist;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import qtfs.dist.TwoHosts.Host;
import qtfs.testing.Await;

/** What the shells offer behind a line: options, their values, and what runs at this moment. */
final class CompletionIT {
  private static final Path SHARE = Units.image().resolve("share");
  private static final Path BIN = Units.image().resolve("bin");
  private static final Pattern OPTION = Pattern.compile("(?m)^ .*?(--[a-z][a-z-]*)");

  /** What bash itself would run; the words come behind. */
  private static final String BASH =
      """
      source "$0"
      program=$1
      shift
      COMP_WORDS=("$@")
      COMP_CWORD=$(($# - 1))
      _qtfs_program_$program
      printf '%s\\n' "${COMPREPLY[@]}"
      """;

  @TempDir private Path directory;

  /** The command that completes a line in bash, whose last word may be empty. */
  private static List<String> bash(String program, String path, String... words) {
    Path functions = SHARE.resolve("bash-completion/completions/" + program);
    List<String> command =
        new ArrayList<>(List.of("bash", "--norc", "-c", BASH, functions.toString(), program, path));
    command.addAll(List.of(words));
    return command;
  }

  private static List<String> offered(List<String> command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    return new String(process.getInputStream().readAllBytes(), UTF_8)
        .lines()
        .filter(line -> !line.isEmpty())
        .toList();
  }

  private static List<String> offered(String program, String... words) throws Exception {
    return offered(bash(program, BIN.resolve(program).toString(), words));
  }

  @Test
  void bashOffersCommandsOptionsAndValues() throws Exception {
    assertThat(offered("udsproxyd", "c")).containsExactly("ctl");
    assertThat(offered("udsproxyd", "ctl", "ex")).containsExactly("expose", "exposed");
    assertThat(offered("udsproxyd", "--dia")).containsExactly("--dialect");
    assertThat(offered("udsproxyd", "--dialect", "")).containsExactly("auto", "v1");
    assertThat(offered("udsproxyd", "--dialect", "=")).containsExactly("auto", "v1");
    assertThat(offered("engine", "--log-format", "=", "j")).containsExactly("journal", "json");
    assertThat(offered("qtcfg", "add", "unl")).containsExactly("unlink");
    assertThat(offered("qtcfg", "add", "--role", "c")).containsExactly("client");
    assertThat(offered("qtinfo", "epoll", "")).containsExactly("any", "fifo");
    assertThat(offered("rexec", "--wait", "e")).containsExactly("exit", "eof");
    assertThat(offered("rexec_server", "ctl", "kill", "1", "TE")).containsExactly("TERM");
  }

  @Test
  void bashOffersFilesAndDirectories() throws Exception {
    Files.createDirectory(directory.resolve("one"));
    Files.createFile(directory.resolve("only a file"));
    String begun = directory + "/on";
    assertThat(offered("udsproxyd", "--whitelist", begun))
        .containsExactlyInAnyOrder(directory + "/one", directory + "/only a file");
    assertThat(offered("udsproxyd", "--run-dir", begun)).containsExactly(directory + "/one");
    assertThat(offered("rexec", "/bin/cat", begun)).hasSize(2);
  }

  static List<String> programs() {
    return CommandText.programs();
  }

  @ParameterizedTest
  @MethodSource("programs")
  void bashKnowsEveryOptionOfTheHelp(String program) throws Exception {
    String word = program.startsWith("qt") ? "help" : "--help";
    String help = String.join("\n", offered(List.of(BIN.resolve(program).toString(), word)));
    help = help.substring(help.toLowerCase(java.util.Locale.ROOT).indexOf("usage:"));
    List<String> options =
        OPTION
            .matcher(help)
            .results()
            .map((MatchResult found) -> found.group(1))
            .distinct()
            .toList();
    assertThat(options).isNotEmpty();
    assertThat(offered(program, "--")).containsAll(options);
  }

  @Test
  void offersWhatIsThereNow() throws Exception {
    try (TwoHosts hosts = TwoHosts.up()) {
      Running proxy = hosts.daemon("udsproxyd on A");
      proxy.signal("TERM");
      assertThat(proxy.result().code()).isZero();
      hosts.startProxy(Host.A, "--expose", "/run/there.sock=/run/here.sock");
      Running sleeper = hosts.startRexec("/bin/sleep", "4243");
      Await.until(
          "a session is offered",
          () ->
              on(hosts, Host.A, "udsproxyd", "ctl", "expose", "")
                  .contains("/var/run/rexec/rexec_uds.sock"));
      assertThat(on(hosts, Host.A, "udsproxyd", "ctl", "unexpose", "/run/h"))
          .containsExactly("/run/here.sock");
      assertThat(on(hosts, Host.A, "udsproxyd", "ctl", "unexpose", "--run-dir", "/no/such", ""))
          .isEmpty();
      Await.until(
          "its program is offered",
          () -> on(hosts, Host.B, "rexec_server", "ctl", "kill", "").size() == 1);
      String pid = on(hosts, Host.B, "rexec_server", "ctl", "kill", "").getFirst();
      assertThat(hosts.sh(Host.B, "kill " + pid).code()).isZero();
      assertThat(sleeper.result().code()).isEqualTo(128 + 15);
    }
  }

  private static List<String> on(TwoHosts hosts, Host host, String program, String... words)
      throws Exception {
    return hosts
        .start(host, bash(program, hosts.program(program), words))
        .result()
        .output()
        .lines()
        .filter(line -> !line.isEmpty())
        .toList();
  }

  /** A program that answers so, in the place of ours. */
  private String answering(String json) throws Exception {
    Path program = directory.resolve("answering");
    Files.writeString(program, "#!/bin/sh\ncat <<'END'\n" + json + "\nEND\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    return program.toString();
  }

  @Test
  void bashOffersTheEntriesOfAList() throws Exception {
    String qtcfg =
        answering(
            "{\"role\":\"server\",\"device\":\"/dev/q\",\"lists\":{\"Open\":[\"/a\",\"/b c\"]}}");
    assertThat(offered(bash("qtcfg", qtcfg, "del", "open", ""))).containsExactly("/a", "/b c");
  }

  @Test
  void nothingOfferedIsExecuted() throws Exception {
    Path mark = directory.resolve("mark");
    String path = "/run/$(touch " + mark + ")`touch " + mark + "`";
    String udsproxyd = answering("{\"ok\":true,\"exposed\":[{\"local\":\"" + path + "\"}]}");
    assertThat(offered(bash("udsproxyd", udsproxyd, "ctl", "unexpose", ""))).containsExactly(path);
    assertThat(mark).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource({
    "udsproxyd ctl ses, udsproxyd ctl sessions",
    "udsproxyd --dialect=v, udsproxyd --dialect=v1",
    "engine --allow-any-so, engine --allow-any-socket",
    "rexec --wait=eo, rexec --wait=eof",
    "rexec_server ctl kill --j, rexec_server ctl kill --json",
    "qtcfg add udsc, qtcfg add udsconnect",
    "qtinfo epoll f, qtinfo epoll fifo"
  })
  void zshCompletes(String begun, String line) throws Exception {
    Programs.need("zsh", "zsh");
    ProcessBuilder zsh =
        new ProcessBuilder(
            "timeout",
            "60",
            "zsh",
            "-f",
            Programs.script("complete.zsh"),
            SHARE.resolve("zsh/site-functions").toString(),
            begun);
    zsh.environment().put("PATH", BIN + ":" + System.getenv("PATH"));
    Process process = zsh.redirectErrorStream(true).start();
    String result = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(result.strip()).isEqualTo(line);
  }
}
