package qtfs.whitelist;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The rules of policy.d: what they take, and what is wrong with a file. */
final class RexecPoliciesTest {
  private static final String DIGEST = "0123456789abcdef".repeat(4);

  @TempDir Path dir;

  private static List<ProgramRule> rules(String text) {
    try {
      return RexecPolicies.parse(text.getBytes(UTF_8), "x.policy", new Problems(Path.of("/x")));
    } catch (WhitelistException e) {
      throw new AssertionError(e);
    }
  }

  private static List<String> problems(String text) {
    try {
      RexecPolicies.parse(text.getBytes(UTF_8), "x.policy", new Problems(Path.of("/x")));
      return List.of();
    } catch (WhitelistException e) {
      return e.problems().stream().map(problem -> problem.toString().substring(3)).toList();
    }
  }

  private static ProgramRule.Target target(String called, String real) {
    return new ProgramRule.Target(called, real, () -> DIGEST);
  }

  private static Optional<String> objection(String keys, int uid, String... arguments) {
    ProgramRule rule = rules("[r]\nProgram=/usr/bin/tool\n" + keys).getFirst();
    return rule.objection(target("/usr/bin/tool", "/usr/bin/tool"), uid, List.of(arguments));
  }

  @Test
  void aRuleHasANameThatTellsItsFile() {
    assertThat(rules("# x\n\n [a.b-1]\n Program = /bin/x \nArguments=...\r\n"))
        .hasToString("[x.policy[a.b-1]]");
  }

  @Test
  void argumentsFitInOrderAndInNumber() {
    assertThat(objection("Arguments=info;/srv/*", 0, "info", "/srv/a")).isEmpty();
    assertThat(objection("Arguments=info;/srv/*", 0, "info"))
        .contains("argument 2 is missing (Arguments=info;/srv/*)");
    assertThat(objection("Arguments=info;", 0, "info", "x"))
        .contains("argument 2 is one too many, 'x' (Arguments=info;)");
    assertThat(objection("Arguments=info;...", 0, "info", "x", "y")).isEmpty();
    assertThat(objection("Arguments=info;...", 0, "info")).isEmpty();
    assertThat(objection("Arguments=info;...", 0, "in\nfo"))
        .contains("argument 1 is 'in\\x0afo' (Arguments=info;...)");
    assertThat(objection("Arguments=", 0)).isEmpty();
    assertThat(objection("Arguments=", 0, "")).isPresent();
    assertThat(objection("Arguments=;", 0, "")).isEmpty();
    assertThat(objection("Arguments=a\\;b", 0, "a;b")).isEmpty();
    assertThat(objection("Arguments=a\\\\;b", 0, "a\\", "b")).isEmpty();
  }

  @Test
  void oneOfSeveralLinesOfArgumentsIsEnough() {
    String both = "Arguments=start\nArguments=stop;*";
    assertThat(objection(both, 0, "start")).isEmpty();
    assertThat(objection(both, 0, "stop", "x")).isEmpty();
    assertThat(objection(both, 0, "stop"))
        .contains(
            "argument 1 is 'stop' (Arguments=start), argument 2 is missing (Arguments=stop;*)");
  }

  @Test
  void theRequesterAndTheContentMustFitToo() {
    assertThat(objection("Arguments=...\nRequester=0;107", 107)).isEmpty();
    assertThat(objection("Arguments=...\nRequester=0;107", 1))
        .contains("uid 1 is not in Requester=");
    assertThat(objection("Arguments=...\nSha256=" + DIGEST.toUpperCase(Locale.ROOT), 1)).isEmpty();
    assertThat(objection("Arguments=...\nSha256=" + "0".repeat(64), 1))
        .contains("its digest is not in Sha256=, it is " + DIGEST);
  }

  @Test
  void theContentIsNotReadForWhatIsRefusedAnyway() {
    ProgramRule rule = rules("[r]\nProgram=/x\nArguments=\nSha256=" + DIGEST).getFirst();
    ProgramRule.Target unreadable =
        new ProgramRule.Target(
            "/x",
            "/x",
            () -> {
              throw new IOException("Permission denied");
            });
    assertThat(rule.objection(unreadable, 0, List.of("a")))
        .get()
        .asString()
        .contains("one too many");
    assertThat(rule.objection(unreadable, 0, List.of()))
        .contains("its digest cannot be told: Permission denied");
  }

  @ParameterizedTest
  @CsvSource({
    // program, called, real, concerns, allows
    "/bin/a, /bin/a, /bin/a, true, true",
    "/bin/a, /bin/a, /opt/b, true, true",
    "/bin/a, /bin/b, /bin/a, true, false",
    "/bin/a, //bin/a, /bin/a, true, false",
    "/bin/a, /bin/ab, /bin/ab, false, false",
    "/opt/, /opt/x/y, /opt/x/y, true, true",
    "/opt/, /opt/x, /bin/sh, true, false",
    "/opt/, /opt/../bin/sh, /bin/sh, false, false",
    "/opt/, /bin/x, /opt/x, true, false",
    "/opt/, /optional, /optional, false, false",
  })
  void aProgramHasManyNamesAndOneThatCounts(
      String program, String called, String real, boolean concerns, boolean allows) {
    ProgramPath path = new ProgramPath(program);
    ProgramPath.Found found = new ProgramPath.Found(called, real);
    assertThat(path.concerns(found)).isEqualTo(concerns);
    assertThat(path.allows(found)).isEqualTo(allows);
  }

  @Test
  void aHardLinkIsTheSameProgram() throws IOException {
    Path file = Files.createFile(dir.resolve("a"));
    Path link = Files.createLink(dir.resolve("b"), file);
    ProgramPath.Found found = new ProgramPath.Found(link.toString(), link.toString());
    assertThat(new ProgramPath(file.toString()).concerns(found)).isTrue();
    assertThat(new ProgramPath(file.toString()).allows(found)).isFalse();
  }

  @Test
  void everyProblemIsToldAtOnce() {
    String text =
        """
        Program=/x
        [a]
        Program=bin/x
        Argument=x
        User=no/user;;7
        Requester=root
        Environment=A B;C*D
        Sha256=12
        nonsense
        [a]
        [b c]
        Program=/a/../b
        Program=/b
        Arguments=...;a;x\\y
        Users=\001
        """;
    assertThat(problems(text))
        .containsExactly(
            "1:1: stands before the first [name]: put one above it",
            "2:1: [a] has no Arguments: write Arguments=... to allow any, Arguments= for none",
            "3:9: Program must be an absolute path without . or .. or // in it: 'bin/x'",
            "4:1: no key has the name 'Argument': there are Program, Arguments, User, Environment,"
                + " Requester, Sha256",
            "5:6: User takes the name or number of a user, not 'no/user'",
            "5:14: User takes the name or number of a user, not ''",
            "6:11: Requester takes the number of a user: id -u NAME tells it, not 'root'",
            "7:13: Environment takes the name of a variable, or its beginning and *, not 'A B'",
            "7:17: Environment takes the name of a variable, or its beginning and *, not 'C*D'",
            "8:8: Sha256 takes what sha256sum prints, 64 digits, not '12'",
            "9:1: neither [name], nor Key=value, nor # comment: 'nonsense'",
            "10:1: [a] again: give it another name",
            "10:1: [a] has no Program: write Program=/path, or Program=/directory/",
            "10:1: [a] has no Arguments: write Arguments=... to allow any, Arguments= for none",
            "11:1: write [name], of letters, digits and . _ -: '[b c]'",
            "12:9: Program must be an absolute path without . or .. or // in it: '/a/../b'",
            "13:1: Program again, after line 12: write one list",
            "14:11: ... stands for all further ones: put it last",
            "14:17: \\ begins none of \\; \\* \\? \\\\: write \\\\ for a backslash",
            "15:7: control character: remove it");
  }

  @Test
  void anEmptyRestrictionIsNone() {
    assertThat(problems("[a]\nProgram=/x\nArguments=\nRequester=\nUser=\n"))
        .containsExactly(
            "4:1: Requester is empty: remove it, or name the number of a user: id -u NAME tells it",
            "5:1: User is empty: remove it, or name the name or number of a user");
  }

  @Test
  void allFilesOfTheDirectoryAreRead() throws Exception {
    assertThat(RexecPolicies.load(dir.resolve("none")).rules()).isEmpty();
    Files.writeString(dir.resolve("b.policy"), "[b]\nProgram=/b\nArguments=\n");
    Files.writeString(dir.resolve("a.policy"), "[a]\nProgram=/a/\nArguments=\n");
    Files.writeString(dir.resolve("c.policy~"), "not read");
    Files.writeString(dir.resolve(".d.policy"), "not read");
    RexecPolicies policies = RexecPolicies.load(dir);
    assertThat(policies.rules()).hasToString("[a.policy[a], b.policy[b]]");
    assertThat(policies.concerning(target("/b", "/a/b"))).hasSize(2);
    assertThat(policies.concerning(target("/c", "/c"))).isEmpty();
  }

  @Test
  void theProblemsOfAllFilesAreToldAtOnce() throws Exception {
    Files.writeString(dir.resolve("a.policy"), "x\n");
    Files.createDirectory(dir.resolve("b.policy"));
    Path loose = Files.writeString(dir.resolve("c.policy"), "");
    Files.setAttribute(loose, "unix:mode", 0666);
    Files.setAttribute(dir, "unix:mode", 0777);
    assertThatThrownBy(() -> RexecPolicies.load(dir))
        .hasMessageStartingWith(dir + ": is writable by group or others (mode 0777)")
        .hasMessageContaining(dir + "/a.policy:1:1: neither [name]")
        .hasMessageContaining(dir + "/b.policy: is not a regular file")
        .hasMessageContaining(dir + "/c.policy: is writable by group or others (mode 0666)");
  }
}
