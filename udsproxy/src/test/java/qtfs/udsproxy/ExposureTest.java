package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ExposureTest {
  @Test
  void isTheSamePathAndTheOwnersAloneUnlessTold() throws Exception {
    Exposure exposure = Exposure.parse("/run/docker.sock");
    assertThat(exposure.target().path()).isEqualTo("/run/docker.sock");
    assertThat(exposure.local()).isEqualTo(Path.of("/run/docker.sock"));
    assertThat(exposure.mode()).isEqualTo(0600);
    assertThat(exposure.typeWord()).isEqualTo("stream");
    assertThat(exposure.owner()).isNull();
    assertThat(exposure.group()).isNull();
  }

  @Test
  void hasAPathModeAndOwnersOfItsOwn() throws Exception {
    Exposure exposure =
        Exposure.parse("/run/a.sock=/srv/b=c.sock,group=root,mode=0660,owner=12345");
    assertThat(exposure.target().path()).isEqualTo("/run/a.sock");
    assertThat(exposure.local()).isEqualTo(Path.of("/srv/b=c.sock"));
    assertThat(exposure.mode()).isEqualTo(0660);
    assertThat(Objects.requireNonNull(exposure.owner()).getName()).isEqualTo("12345");
    assertThat(Objects.requireNonNull(exposure.group()).getName()).isEqualTo("root");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|empty",
        "run/a.sock|does not start with /",
        "/run/a.sock=b.sock|\"b.sock\" is not an absolute path",
        "/run/a.sock=|\"\" is not an absolute path",
        "/run/a.sock=/|not an absolute path",
        "/run/a.sock=/run/../etc/b|without . and ..",
        "/run/a.sock,mode=660x|three octal digits",
        "/run/a.sock,mode=4755|three octal digits",
        "/run/a.sock,mode=|three octal digits",
        "/run/a.sock,mode=0600,mode=0666|mode is there twice",
        "/run/a.sock,color=red|\"color=red\" is none of",
        "/run/a.sock,|\"\" is none of",
        "/run/a.sock,owner|\"owner\" is none of",
        "/run/a.sock,type=raw|type \"raw\" is none of stream, seqpacket, dgram",
        "/run/a.sock,owner=nobody-here|no user \"nobody-here\"",
        "/run/a.sock,group=nobody-here|no group \"nobody-here\"",
      })
  void saysWhatIsWrong(String spec, String complaint) {
    assertThatThrownBy(() -> Exposure.parse(spec))
        .isInstanceOf(Exposure.SpecException.class)
        .hasMessageStartingWith("cannot expose \"" + spec + "\": ")
        .hasMessageContaining(complaint);
  }

  @Test
  void bothPathsFitIntoAnAddress() throws Exception {
    String longest = "/" + "p".repeat(100);
    assertThat(Exposure.parse(longest).target().path()).isEqualTo(longest);
    assertThatThrownBy(() -> Exposure.parse(longest + "p")).hasMessageContaining("102 bytes");
    String local = "/" + "l".repeat(106);
    assertThat(Exposure.parse("/p=" + local).local()).isEqualTo(Path.of(local));
    assertThatThrownBy(() -> Exposure.parse("/p=" + local + "l"))
        .hasMessageContaining("108 bytes, a socket's path at most 107");
  }
}
