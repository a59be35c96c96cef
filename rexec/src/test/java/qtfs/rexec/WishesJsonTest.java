package qtfs.rexec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class WishesJsonTest {
  private static final Wishes ALL =
      new Wishes(
          "/d\u00e9",
          List.of("A=1", "B=\u0080\u00ff\"\n=", "C="),
          true,
          "nobody",
          -5,
          Duration.ofMillis(1500),
          Duration.ZERO,
          new Wishes.Terminal(24, 80, "", false),
          List.of(9, 4));

  @Test
  void writesAllKeysWithoutSpaces() {
    // golden: docs/protocol.md
    assertThat(
            FilesJson.write(
                List.of(),
                new Wishes(
                    "/srv",
                    List.of("A=1"),
                    true,
                    "nobody",
                    5,
                    Duration.ofSeconds(2),
                    Duration.ofSeconds(5),
                    new Wishes.Terminal(24, 80, "xterm", true),
                    List.of(9))))
        .isEqualTo(
            "{\"Files\":[],\"Cwd\":\"/srv\",\"Env\":[\"A=1\"],\"ClearEnv\":true,\"User\":\"nobody\","
                + "\"Nice\":5,\"TimeoutMs\":2000,\"KillGraceMs\":5000,"
                + "\"Tty\":{\"Rows\":24,\"Columns\":80,\"Type\":\"xterm\",\"Stderr\":true},\"Fds\":[9]}");
  }

  @Test
  void readsWhatItWrites() throws Exception {
    assertThat(WishesJson.read(FilesJson.write(List.of(), ALL))).isEqualTo(ALL);
    List<InheritedFile> files = List.of(new InheritedFile(3, "/x", 0, 0));
    String both = FilesJson.write(files, ALL);
    assertThat(WishesJson.read(both)).isEqualTo(ALL);
    assertThat(FilesJson.read(both)).isEqualTo(files);
  }

  @Test
  void sendsTheUsualGraceWithoutAJsonLibrary() throws Exception {
    assertThat(FilesJson.write(List.of(), Wishes.USUAL)).isSameAs(FilesJson.NONE);
    assertThat(WishesJson.read(FilesJson.NONE)).isEqualTo(Wishes.USUAL);
    assertThat(FilesJson.NONE).isEqualTo("{\"Files\":[],\"KillGraceMs\":5000}");
  }

  @Test
  void findsNoWishWithACClient() throws Exception {
    Message.Exec exec = (Message.Exec) Vectors.messages("c05-rexec-files.rexec-server").getFirst();
    assertThat(WishesJson.read(exec.files())).isEqualTo(Wishes.NONE);
    assertThat(WishesJson.read("{\"New\":[{}],\"Files\":[]}")).isEqualTo(Wishes.NONE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"Cwd\":1}",
        "{\"Cwd\":\"srv\"}",
        "{\"Cwd\":\"/\\u0000\"}",
        "{\"Cwd\":\"/\\u20ac\"}",
        "{\"Cwd\":\"/\",\"Cwd\":\"/\"}",
        "{\"Env\":{}}",
        "{\"Env\":[1]}",
        "{\"Env\":[\"A\"]}",
        "{\"Env\":[\"=x\"]}",
        "{\"Env\":[\"A=\\u0000\"]}",
        "{\"ClearEnv\":1}",
        "{\"User\":\"\"}",
        "{\"User\":\"-x\"}",
        "{\"User\":\"a b\"}",
        "{\"Nice\":20}",
        "{\"Nice\":-21}",
        "{\"Nice\":1.5}",
        "{\"TimeoutMs\":0}",
        "{\"TimeoutMs\":99999999999}",
        "{\"TimeoutMs\":99999999999999999999}",
        "{\"KillGraceMs\":-1}",
        "{\"Tty\":true}",
        "{\"Tty\":{\"Rows\":65536}}",
        "{\"Tty\":{\"Rows\":-1}}",
        "{\"Tty\":{\"Stderr\":0}}",
        "{\"Tty\":{\"Type\":\"a b\"}}",
        "{\"Fds\":3}",
        "{\"Fds\":[2]}",
        "{\"Fds\":[1024]}",
        "{\"Fds\":[3,3]}",
        "[",
      })
  void refusesWithOneLine(String json) {
    assertThatThrownBy(() -> WishesJson.read(json))
        .isInstanceOf(ProtocolException.class)
        .hasMessageStartingWith("wishes: ")
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"));
  }
}
