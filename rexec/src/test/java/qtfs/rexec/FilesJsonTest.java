package qtfs.rexec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class FilesJsonTest {
  @Test
  void readsWhatACClientSent() throws Exception {
    Message.Exec exec = (Message.Exec) Vectors.messages("c05-rexec-files.rexec-server").getFirst();
    assertThat(FilesJson.read(exec.files()))
        .containsExactly(
            new InheritedFile(5, "/srv/peer/log/reg.txt", 0x8000, 3),
            new InheritedFile(7, "/srv/peer/log/app.txt", 0x8401, 0));
  }

  @Test
  void writesWithoutSpacesAndReadsItBack() throws Exception {
    List<InheritedFile> files =
        List.of(
            new InheritedFile(3, "/a \"b\"\\é\n", 0x8001, 1L << 40),
            new InheritedFile(1023, "/x", 0, 0));
    String json = FilesJson.write(files, Wishes.NONE);
    assertThat(json).startsWith("{\"Files\":[{\"Fd\":3,\"Path\":\"/a ").doesNotContain(": ");
    assertThat(FilesJson.read(json)).isEqualTo(files);
    assertThat(FilesJson.write(List.of(), Wishes.USUAL)).isEqualTo(FilesJson.NONE);
    assertThat(FilesJson.read(FilesJson.NONE)).isEmpty();
  }

  @Test
  void passesOverWhatItDoesNotKnow() throws Exception {
    assertThat(
            FilesJson.read(
                "{\"Env\":{\"A\":[1,2]},\"Files\":[{\"Fd\":3,\"New\":[{}],\"Path\":\"/x\",\"Perm\":0,"
                    + "\"Offset\":0}],\"Cwd\":\"/\"}"))
        .containsExactly(new InheritedFile(3, "/x", 0, 0));
  }

  @Test
  void takesNoKeyWithWrongBytesForOneThatItHasReadBefore() throws Exception {
    assertThat(FilesJson.read("{\"Files\":[]}")).isEmpty();
    assertThatThrownBy(() -> FilesJson.read("{\"File\u00ff\u00ff\u00ffs\":[]}"))
        .isInstanceOf(ProtocolException.class)
        .hasMessage("list of files: is not UTF-8");
  }

  @Test
  void readsNoOtherEncodingThanUtf8() {
    assertThatThrownBy(() -> FilesJson.read("{\0\"\0F\0\"\0:\0[\0]\0}\0"))
        .isInstanceOf(ProtocolException.class)
        .hasMessageStartingWith("list of files: ");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{",
        "{} x",
        "{\"Files\":{}}",
        "{\"Files\":[3]}",
        "{\"Files\":[{}]}",
        "{\"Files\":[],\"Files\":[]}",
        "{\"Files\":[{\"Fd\":2,\"Path\":\"/x\",\"Perm\":0,\"Offset\":0}]}",
        "{\"Files\":[{\"Fd\":1024,\"Path\":\"/x\",\"Perm\":0,\"Offset\":0}]}",
        "{\"Files\":[{\"Fd\":99999999999999999999,\"Path\":\"/x\",\"Perm\":0,\"Offset\":0}]}",
        "{\"Files\":[{\"Fd\":\"3\",\"Path\":\"/x\",\"Perm\":0,\"Offset\":0}]}",
        "{\"Files\":[{\"Fd\":3.5,\"Path\":\"/x\",\"Perm\":0,\"Offset\":0}]}",
        "{\"Files\":[{\"Fd\":3,\"Path\":\"x\",\"Perm\":0,\"Offset\":0}]}",
        "{\"Files\":[{\"Fd\":3,\"Path\":\"/x\\u0000\",\"Perm\":0,\"Offset\":0}]}",
        "{\"Files\":[{\"Fd\":3,\"Path\":\"/x\",\"Perm\":-1,\"Offset\":0}]}",
        "{\"Files\":[{\"Fd\":3,\"Path\":\"/x\",\"Perm\":0,\"Offset\":-1}]}",
        "{\"Files\":[{\"Fd\":3,\"Path\":\"/x\",\"Perm\":0}]}",
        "{\"Files\":[{\"Fd\":3,\"Fd\":4,\"Path\":\"/x\",\"Perm\":0,\"Offset\":0}]}",
        "{\"Files\":[{\"Fd\":3,\"Path\":\"/x\",\"Perm\":0,\"Offset\":0},"
            + "{\"Fd\":3,\"Path\":\"/y\",\"Perm\":0,\"Offset\":0}]}",
        "{\"A\":[[[[[[[[[[]]]]]]]]]]}",
      })
  void refusesWithOneLine(String json) {
    assertThatThrownBy(() -> FilesJson.read(json))
        .isInstanceOf(ProtocolException.class)
        .hasMessageStartingWith("list of files: ")
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"));
  }

  @Test
  void refusesAPathLongerThanTheKernelTakes() {
    String path = "/" + "p".repeat(4095);
    String json = "{\"Files\":[{\"Fd\":3,\"Path\":\"" + path + "\",\"Perm\":0,\"Offset\":0}]}";
    assertThatThrownBy(() -> FilesJson.read(json)).hasMessageContaining("4095");
  }
}
