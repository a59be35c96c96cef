package qtfs.rexec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The bytes of the wish to be told instead of run. */
final class ExplainWishTest {
  @Test
  void isAKeyBesideTheFiles() throws Exception {
    String list = ExplainWish.addTo(FilesJson.write(List.of(), Wishes.USUAL));
    assertThat(list).isEqualTo("{\"Files\":[],\"KillGraceMs\":5000,\"Explain\":true}");
    assertThat(ExplainWish.isIn(list)).isTrue();
    assertThat(FilesJson.read(list)).isEmpty();
    assertThat(WishesJson.read(list).environment()).isEmpty();
  }

  @Test
  void isOnlyWhatIsTrueAndAtTheTop() throws Exception {
    assertThat(ExplainWish.isIn("{\"Files\":[]}")).isFalse();
    assertThat(ExplainWish.isIn("{\"Explain\":false}")).isFalse();
    assertThat(ExplainWish.isIn("{\"Explain\":1}")).isFalse();
    assertThat(ExplainWish.isIn("{\"X\":{\"Explain\":true},\"Y\":\"Explain\"}")).isFalse();
    assertThatThrownBy(() -> ExplainWish.isIn("{\"Explain\":tr"))
        .isInstanceOf(ProtocolException.class);
  }

  @Test
  void theAnswerIsMarked() {
    Message.PidMap answer = new Message.PidMap(0, Message.PidMap.ALWAYS | Message.PidMap.EXPLAINS);
    assertThat(HexFormat.of().formatHex(answer.encode()))
        .isEqualTo("5d5a000037010000000000000000000051544632" + "00000000");
  }
}
