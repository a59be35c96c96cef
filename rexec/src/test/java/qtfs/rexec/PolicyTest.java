package qtfs.rexec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.whitelist.ProgramRule;

/** What decides: the whitelist, the rules, the configuration, and what of them comes first. */
final class PolicyTest {
  @TempDir Path dir;
  private Policies files;

  @BeforeEach
  void whitelist() throws IOException {
    files = new Policies(dir).whitelist("/bin/listed", "tool", "\u00fc");
  }

  private Decision judge(Wishes wishes, String... arguments) throws Exception {
    ProgramRule.Target target =
        new ProgramRule.Target(arguments[0], "/real" + arguments[0], () -> "0".repeat(64));
    return files.load().judge(new Asked(7, List.of(arguments), wishes, target, 100));
  }

  private Decision judge(String... arguments) throws Exception {
    return judge(Wishes.USUAL, arguments);
  }

  private String reason(Wishes wishes, String... arguments) throws Exception {
    Decision decision = judge(wishes, arguments);
    assertThat(decision).isInstanceOf(Decision.Refused.class);
    return ((Decision.Refused) decision).reason();
  }

  private Decision byWhitelist() {
    return new Decision.Allowed(dir.resolve("whitelist").toString(), null, false);
  }

  @Test
  void withoutRulesTheWhitelistDecidesByTheName() throws Exception {
    assertThat(judge("/bin/listed", "any", "thing")).isEqualTo(byWhitelist());
    assertThat(judge("tool")).isEqualTo(byWhitelist());
    assertThat(judge("/bin/other"))
        .isEqualTo(
            new Decision.Refused(
                dir.resolve("whitelist").toString(),
                Refusal.NOT_IN_WHITELIST,
                "not in the whitelist",
                "a line /bin/other in " + dir.resolve("whitelist")));
  }

  @Test
  void bytesThatAreNoTextAreNothingThatIsListed() throws Exception {
    assertThat(judge("\u00c3\u00bc")).isEqualTo(byWhitelist());
    assertThat(judge("\u00fc")).isInstanceOf(Decision.Refused.class);
  }

  @Test
  void aRuleRestrictsWhatTheWhitelistAllows() throws Exception {
    files.rules("[r]\nProgram=/bin/listed\nArguments=info\n");
    assertThat(judge("/bin/listed", "info"))
        .isEqualTo(new Decision.Allowed("test.policy[r]", null, false));
    assertThat(reason(Wishes.USUAL, "/bin/listed", "rm"))
        .isEqualTo("fits no rule: test.policy[r]: argument 1 is 'rm' (Arguments=info)");
    assertThat(judge("tool", "rm")).isEqualTo(byWhitelist());
  }

  @Test
  void aRuleAllowsWhatTheWhitelistDoesNot() throws Exception {
    files.rules("[r]\nProgram=/opt/x\nArguments=...\nUser=qemu;1000\n");
    assertThat(judge("/opt/x", "a"))
        .isEqualTo(new Decision.Allowed("test.policy[r]", "qemu", false));
    assertThat(judge(Policies.user("1000"), "/opt/x"))
        .isEqualTo(new Decision.Allowed("test.policy[r]", "1000", false));
    assertThat(reason(Policies.user("root"), "/opt/x")).contains("may not run as root");
  }

  @Test
  void oneOfSeveralRulesMustAllowAllOfIt() throws Exception {
    files.rules(
        """
        [a]
        Program=/opt/x
        Arguments=one
        User=qemu
        [b]
        Program=/opt/x
        Arguments=two
        Requester=7
        [c]
        Program=/opt/x
        Arguments=two
        Requester=8
        """);
    assertThat(judge("/opt/x", "two").rule()).isEqualTo("test.policy[b]");
    assertThat(reason(Policies.user("qemu"), "/opt/x", "two"))
        .isEqualTo(
            "fits no rule: test.policy[a]: argument 1 is 'two' (Arguments=one);"
                + " test.policy[b]: may not run as qemu; test.policy[c]: may not run as qemu");
  }

  @Test
  void harmlessVariablesAreAcceptedUnlessTheConfigurationNamesSome() throws Exception {
    assertThat(judge(Policies.environment("ANY=1"), "tool")).isEqualTo(byWhitelist());
    files.config("[Accept]\nEnvironment=LANG;LC_*\n");
    assertThat(judge(Policies.environment("LANG=C", "LC_ALL=C"), "tool")).isEqualTo(byWhitelist());
    assertThat(reason(Policies.environment("ANY=1"), "tool"))
        .isEqualTo("may not be given the variable ANY");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "LD_PRELOAD=/x",
        "LD_LIBRARY_PATH=/x",
        "BASH_ENV=/x",
        "JAVA_TOOL_OPTIONS=x",
        "PYTHONPATH=/x",
        "X=() { :; }"
      })
  void whatRunsOtherCodeMustBeNamedInFull(String variable) throws Exception {
    String name = variable.substring(0, variable.indexOf('='));
    Wishes wishes = Policies.environment(variable);
    assertThat(reason(wishes, "tool")).isEqualTo("may not be given the variable " + name);
    files.config("[Accept]\nEnvironment=" + name.charAt(0) + "*\n");
    assertThat(reason(wishes, "tool")).isEqualTo("may not be given the variable " + name);
    files.config("[Accept]\nEnvironment=" + name + "\n");
    assertThat(judge(wishes, "tool")).isEqualTo(byWhitelist());
  }

  @Test
  void aRuleMayAcceptMoreVariables() throws Exception {
    files
        .rules("[r]\nProgram=/opt/x\nArguments=\nEnvironment=MY_*\n")
        .config("[Accept]\nEnvironment=LANG\n");
    assertThat(judge(Policies.environment("MY_A=1", "LANG=C"), "/opt/x").rule())
        .isEqualTo("test.policy[r]");
    assertThat(reason(Policies.environment("MY_A=1"), "tool"))
        .isEqualTo("may not be given the variable MY_A");
  }

  @Test
  void usersAndPriorityAreTheConfigurations() throws Exception {
    assertThat(reason(Policies.user("qemu"), "tool")).isEqualTo("may not run as qemu");
    assertThat(reason(Policies.nice(-1), "tool")).isEqualTo("may not run with nice -1");
    assertThat(judge(Policies.nice(19), "tool")).isEqualTo(byWhitelist());
    files.config("[Accept]\nUser=qemu\nNice=-5\n[Limits]\nRequestBytes=4096\n");
    assertThat(judge(Policies.user("qemu"), "tool"))
        .isEqualTo(new Decision.Allowed(dir.resolve("whitelist").toString(), "qemu", false));
    assertThat(judge(Policies.nice(-5), "tool")).isEqualTo(byWhitelist());
    assertThat(reason(Policies.nice(-6), "tool")).isEqualTo("may not run with nice -6");
  }

  @Test
  void aRequestMayBeTooLarge() throws Exception {
    ProgramRule.Target target = new ProgramRule.Target("tool", "/bin/tool", () -> "");
    files.config("[Limits]\nRequestBytes=4096\n");
    assertThat(
            files
                .load()
                .judge(new Asked(0, List.of("tool"), Wishes.USUAL, target, 4097))
                .toString())
        .contains("asks with 4097 bytes, 4096 are allowed");
  }

  @Test
  void theProblemsOfAllFilesComeAtOnce() throws Exception {
    files.whitelist("\u0001").rules("[r]\n").config("[x]\n");
    assertThatThrownBy(files::load)
        .hasMessageContaining(dir + "/whitelist:1:1: control character")
        .hasMessageContaining("test.policy:1:1: [r] has no Program")
        .hasMessageContaining("rexec_server.conf:1:1: no section has the name 'x'");
  }

  @Test
  void aBrokenNewFileKeepsTheOldOnes() throws Exception {
    CurrentPolicy current = CurrentPolicy.load(files.files());
    Policy old = current.get();
    files.rules("[r]\n");
    assertThat(current.reload()).isFalse();
    assertThat(current.get()).isSameAs(old);
    files.rules("[r]\nProgram=/x\nArguments=\n");
    assertThat(current.reload()).isTrue();
    assertThat(current.get().summary()).endsWith(", 1 rules in policy.d");
  }
}
