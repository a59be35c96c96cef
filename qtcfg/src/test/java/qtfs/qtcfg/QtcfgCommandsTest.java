package qtfs.qtcfg;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** D3: the words of qtcfg, in front of the simulated server. */
final class QtcfgCommandsTest {
  @TempDir private Path directory;
  private SimulatedKernel kernel = new SimulatedKernel(Path.of(""));

  @BeforeEach
  void loadTheModule() {
    kernel = new SimulatedKernel(directory).load(Role.SERVER);
  }

  private String file(String text) throws IOException {
    return Files.writeString(directory.resolve("whitelist"), text).toString();
  }

  private static String numbered(int from, int to) {
    return IntStream.range(from, to).mapToObj(i -> "/" + i).collect(Collectors.joining(";"));
  }

  private static void done(SimulatedKernel.Result result, String out) {
    assertThat(result.err()).isEmpty();
    assertThat(result.out()).isEqualTo(out);
    assertThat(result.code()).isZero();
  }

  private static void fails(SimulatedKernel.Result result, int code, String line) {
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).startsWith(line).endsWith("\n");
    assertThat(result.err().lines()).hasSize(1);
    assertThat(result.code()).isEqualTo(code);
  }

  @Test
  void loadMakesTheModuleEqualToTheFile() throws IOException {
    String file = file("[Mount]\nPath=/m\n[Open]\nPath=/a;/b c\n[Udsaccept]\nPath=/run/q\n");
    kernel.qtcfg("add", "open", "/old", "/a");
    kernel.qtcfg("add", "kill", "qemu");
    String changes = "+ [Open] /b c\n- [Open] /old\n+ [Mount] /m\n- [Kill] qemu\n";
    done(kernel.qtcfg("load", file, "--dry-run"), changes + "nothing was changed: --dry-run\n");
    assertThat(kernel.lists())
        .isEqualTo(Map.of("Open", List.of("/old", "/a"), "Kill", List.of("qemu")));
    SimulatedKernel.Result diff = kernel.qtcfg("diff", file);
    assertThat(diff.out()).isEqualTo(changes);
    assertThat(diff.code()).isEqualTo(1);
    done(kernel.qtcfg("load", file), changes);
    assertThat(kernel.lists())
        .isEqualTo(Map.of("Open", List.of("/b c", "/a"), "Mount", List.of("/m")));
    done(kernel.qtcfg("diff", file), "");
    done(kernel.qtcfg("load", file), "nothing to change\n");
  }

  @Test
  void aFullListIsReplacedWithoutAMomentWithoutWhatStays() throws IOException {
    kernel.qtcfg("load", file("[Open]\nPath=" + numbered(0, 64)));
    Path journal = Files.createFile(directory.resolve("server.journal"));
    String file = file("[Open]\nPath=" + numbered(32, 96));
    assertThat(kernel.qtcfg("load", file).code()).isZero();
    assertThat(kernel.lists().get("Open")).containsExactlyInAnyOrder(numbered(32, 96).split(";"));
    List<String> moves = Files.readAllLines(journal);
    assertThat(moves).hasSize(64).startsWith("- 0 /31", "+ 0 /64");
    assertThat(moves)
        .filteredOn(move -> move.startsWith("-"))
        .containsExactlyInAnyOrder(
            IntStream.range(0, 32).mapToObj(i -> "- 0 /" + i).toArray(String[]::new));
  }

  @Test
  void newEntriesComeBeforeOldOnesGo() throws IOException {
    kernel.qtcfg("add", "open", "/a", "/b", "/c");
    Path journal = Files.createFile(directory.resolve("server.journal"));
    kernel.qtcfg("load", file("[Open]\nPath=/b;/x;/y"));
    assertThat(Files.readAllLines(journal)).containsExactly("+ 0 /x", "+ 0 /y", "- 0 /c", "- 0 /a");
  }

  @Test
  void addAndDelChangeWhatTheyAreTold() {
    done(kernel.qtcfg("add", "Open", "/a", "/é", "/a"), "+ [Open] /a\n+ [Open] /Ã©\n");
    done(kernel.qtcfg("add", "open", "/a"), "nothing to change\n");
    done(
        kernel.qtcfg("add", "open", "/b", "--dry-run"),
        "+ [Open] /b\nnothing was changed: --dry-run\n");
    done(kernel.qtcfg("del", "open", "--index", "1"), "- [Open] /Ã©\n");
    done(kernel.qtcfg("del", "open", "/a"), "- [Open] /a\n");
    assertThat(kernel.lists()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      value = {
        "add open relative ~ 65 ~ entry 'relative' is not absolute: start it with /",
        "add kill 0123456789abcdef ~ 65 ~ entry '0123456789abcdef' has 16 bytes",
        "add opne /x ~ 64 ~ 'opne' is no list of the server: take open, write",
        "add udsaccept /x ~ 64 ~ 'udsaccept' is no list of the server",
        "del open /x ~ 65 ~ [Open] has no entry '/x'",
        "del open --index 0 ~ 65 ~ [Open] has no index 0: it has 0 entries",
        "del open --index -1 ~ 64 ~ ",
        "del open --index 1x ~ 64 ~ --index '1x': a number from 0 to 1023",
        "del open --index 1024 ~ 64 ~ --index '1024': a number from 0 to 1023",
        "del open ~ 64 ~ del wants either paths or --index",
        "list --bogus ~ 64 ~ Unknown option: '--bogus'; try qtcfg help",
        "list --role nobody ~ 64 ~ --role nobody: the roles are client and server",
        "--role nobody list ~ 64 ~ --role nobody: the roles are client and server",
        "list --role client ~ 69 ~ /dev/qtfs_client is not there: load the kernel module qtfs",
        "diff /nonexistent/file ~ 66 ~ /nonexistent/file: does not exist",
      })
  void tellsInOneLineWhatIsWrong(String line, int code, String message) {
    fails(kernel.qtcfg(line.split(" ")), code, "qtcfg: " + (message == null ? "" : message));
    assertThat(kernel.lists()).isEmpty();
  }

  @Test
  void aFileWithProblemsIsNotLoaded() throws IOException {
    String file = file("[Open]\nPath=/a;b;c\n");
    SimulatedKernel.Result result = kernel.qtcfg("load", file);
    assertThat(result.code()).isEqualTo(65);
    assertThat(result.err().lines())
        .containsExactly(
            "qtcfg: " + file + ":2:9: entry 'b' is not absolute: start it with /",
            "qtcfg: " + file + ":2:11: entry 'c' is not absolute: start it with /");
    assertThat(kernel.lists()).isEmpty();
  }

  @Test
  void a65thEntryIsNotAdded() throws IOException {
    kernel.qtcfg("load", file("[Open]\nPath=" + numbered(0, 64)));
    fails(kernel.qtcfg("add", "open", "/64"), 76, "qtcfg: [Open] would have 65 entries");
  }

  @Test
  void whatIsSavedCanBeLoaded() throws IOException {
    kernel.qtcfg("-w", "open", "-x", "/a;b\\c d", "-x", "/e", "-w", "kill", "-x", "CPU 0/KVM");
    Map<String, List<String>> lists = kernel.lists();
    Path saved = directory.resolve("saved");
    done(kernel.qtcfg("save", saved.toString()), "wrote " + saved + "\n");
    kernel.unload(Role.SERVER);
    kernel.load(Role.SERVER);
    assertThat(kernel.lists()).isEmpty();
    kernel.qtcfg("load", saved.toString());
    assertThat(kernel.lists()).isEqualTo(lists).hasSize(2);
    assertThat(kernel.qtcfg("save").out()).isEqualTo(Files.readString(saved));
  }

  @Test
  void saveReplacesAFileOnlyWhenForcedAndKeepsWhatIsNotTheModules() throws IOException {
    String file = file("[Open]\nPath=/old\n[Udsaccept]\nPath=/run/q\n");
    kernel.qtcfg("add", "open", "/new");
    fails(kernel.qtcfg("save", file), 73, "qtcfg: " + file + " exists");
    assertThat(kernel.qtcfg("save", file, "--force").code()).isZero();
    assertThat(Files.readString(Path.of(file)))
        .isEqualTo("[Open]\nPath=/new;\n\n[Udsaccept]\nPath=/run/q;\n");
  }

  @Test
  void explainNamesTheEntry() throws IOException {
    kernel.qtcfg("add", "open", "/a", "/b/");
    assertThat(kernel.qtcfg("explain", "open", "/b/x").out())
        .startsWith("allowed: entry 1 of [Open] in /dev/qtfs_server: /b/\nrule: the path is");
    SimulatedKernel.Result no = kernel.qtcfg("explain", "open", "/a/../b/x");
    assertThat(no.code()).isEqualTo(1);
    assertThat(no.out())
        .startsWith("not allowed: none of the 2 entries of [Open] in /dev/qtfs_server matches")
        .contains("it has no component ..");
    String file = file("[Udsaccept]\nPath=/run/q\n");
    SimulatedKernel.Result inFile =
        kernel.qtcfg("explain", "udsaccept", "/run/q/s", "--file", file);
    assertThat(inFile.out()).startsWith("allowed: entry 0 of [Udsaccept] in " + file + ": /run/q");
    assertThat(inFile.code()).isZero();
  }

  @Test
  void checkNeedsNoModule() throws IOException {
    kernel.unload(Role.SERVER);
    String file = file("[open]\nPath=/a;b\n");
    SimulatedKernel.Result result = kernel.qtcfg("check", file);
    assertThat(result.code()).isEqualTo(65);
    assertThat(result.out().lines())
        .containsExactly(
            file + ": warning: has no [Mount] entry, and engine does not start without one",
            file + ":1:2: warning: the C engine ignores [open]: write [Open]",
            file + ":2:9: entry 'b' is not absolute: start it with /");
    assertThat(kernel.qtcfg("check", file, "--json").out())
        .contains("\"severity\":\"error\",\"line\":2,\"column\":9,\"text\":\"entry 'b' is not")
        .endsWith("]}\n");
  }

  @Test
  void json() throws IOException {
    done(
        kernel.qtcfg("add", "open", "/a\"\n", "--json"),
        "{\"role\":\"server\",\"device\":\"/dev/qtfs_server\",\"dryRun\":false,"
            + "\"changes\":[{\"action\":\"add\",\"group\":\"Open\",\"path\":\"/a\\\"\\n\"}]}\n");
    done(
        kernel.qtcfg("list", "open", "kill", "--json"),
        "{\"role\":\"server\",\"device\":\"/dev/qtfs_server\","
            + "\"lists\":{\"Open\":[\"/a\\\"\\n\"],\"Kill\":[]}}\n");
    done(kernel.qtcfg("list", "open"), "[Open]\n  0  /a\"\\x0a\n");
    assertThat(kernel.qtcfg("explain", "open", "/b", "--json").out())
        .startsWith("{\"allowed\":false,\"group\":\"Open\",\"path\":\"/b\"");
    assertThat(kernel.qtcfg("diff", file("[Open]\nPath=/b"), "--json").out())
        .contains("{\"action\":\"add\",\"group\":\"Open\",\"path\":\"/b\"}");
  }

  @Test
  void listsThatChangeWhileTheyAreReadAreNotBelieved() {
    kernel.qtcfg("add", "open", "/a");
    kernel.set(Role.SERVER, "racer", 3);
    assertThat(kernel.qtcfg("list").code()).isZero();
    kernel.set(Role.SERVER, "racer", 1_000_000);
    fails(
        kernel.qtcfg("list"),
        75,
        "qtcfg: /dev/qtfs_server: the lists change meanwhile, somebody else works on them: try");
  }

  @Test
  void help() {
    assertThat(kernel.qtcfg("help").out()).contains("explain", "Exit codes: 0 done");
    assertThat(kernel.qtcfg("help").out())
        .contains("\n  qtcfg diff  ", "\n  qtcfg load --dry-run  ");
    assertThat(kernel.qtcfg("load", "--help").out()).startsWith("usage: qtcfg load");
    assertThat(kernel.qtcfg("--version").out()).startsWith("qtcfg ");
  }
}
