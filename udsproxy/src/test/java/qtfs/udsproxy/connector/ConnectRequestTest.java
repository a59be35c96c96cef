package qtfs.udsproxy.connector;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.linux.UnixSocket;

final class ConnectRequestTest {
  @Test
  void hasTheRecordedLayout() {
    byte[] bytes = new ConnectRequest(UnixSocket.Type.SEQPACKET, "/run/x.sock").encode();
    assertThat(bytes).hasSize(112).startsWith(5, 0, 0, 0, '/', 'r', 'u', 'n', '/', 'x');
    assertThat(Arrays.copyOfRange(bytes, 15, 112)).containsOnly(0);
  }

  @ParameterizedTest
  @EnumSource
  void isReadBack(UnixSocket.Type type) throws Exception {
    ConnectRequest request = new ConnectRequest(type, "/srv/é.sock");
    assertThat(ConnectRequest.decode(request.encode())).isEqualTo(request);
  }

  @Test
  void ignoresWhatOthersLeaveUninitialised() throws Exception {
    byte[] bytes = new byte[112];
    Arrays.fill(bytes, (byte) 0xee);
    bytes[0] = 1;
    bytes[1] = 0;
    System.arraycopy("/a\0".getBytes(UTF_8), 0, bytes, 4, 3);
    assertThat(ConnectRequest.decode(bytes))
        .isEqualTo(new ConnectRequest(UnixSocket.Type.STREAM, "/a"));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3, 4, 6, 256 + 1, 65535})
  void refusesOtherTypes(int type) {
    byte[] bytes = raw("/a");
    bytes[0] = (byte) type;
    bytes[1] = (byte) (type >> 8);
    assertRefused(bytes, "socket type " + type);
  }

  @Test
  void takesA101BytePathAndNoLongerOne() throws Exception {
    String longest = "/" + "p".repeat(100);
    assertThat(ConnectRequest.decode(raw(longest)).path()).isEqualTo(longest);
    assertRefused(raw(longest + "p"), "has 102 bytes");
    assertRefused(raw("/" + "p".repeat(106)), "has 107 bytes");
  }

  @Test
  void refusesBadPaths() {
    assertRefused(raw(""), "empty");
    assertRefused(raw("\0abstract"), "empty");
    assertRefused(raw("relative"), "does not start with /");
    assertRefused(raw("/" + "p".repeat(107)), "no NUL");
    byte[] latin1 = new byte[112];
    latin1[0] = 1;
    System.arraycopy("/é".getBytes(ISO_8859_1), 0, latin1, 4, 2);
    assertRefused(latin1, "UTF-8");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 111, 113})
  void refusesOtherLengths(int length) {
    assertRefused(new byte[length], "this one " + length);
  }

  @Test
  void cannotBeMadeForAPathThatDoesNotFit() {
    assertThatThrownBy(() -> new ConnectRequest(UnixSocket.Type.STREAM, "/a\0b"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("NUL");
    assertThatThrownBy(() -> ConnectRequest.of(UnixSocket.Type.STREAM, "/" + "é".repeat(51)))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("has 103 bytes");
  }

  private static byte[] raw(String path) {
    byte[] bytes = new byte[112];
    bytes[0] = 1;
    byte[] name = path.getBytes(UTF_8);
    System.arraycopy(name, 0, bytes, 4, name.length);
    return bytes;
  }

  private static void assertRefused(byte[] bytes, String why) {
    assertThatThrownBy(() -> ConnectRequest.decode(bytes))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining(why);
  }
}
