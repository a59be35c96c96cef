package qtfs.rexec;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import qtfs.linux.Fd;

/** What a launcher sends is read as it was meant, or refused; nothing is made of garbage. */
final class AgentRequestTest {
  private static final int LENGTH = 8;

  private final byte[] header = header();
  private final byte[] data = data(new int[] {0, 2, 700}, "rexec", "ls", "", "A=b", "\377=\376");

  private static byte[] header() {
    ByteBuffer header =
        ByteBuffer.allocate(AgentRequest.HEADER_LENGTH).order(ByteOrder.LITTLE_ENDIAN);
    header.put(AgentRequest.MAGIC).putInt(0).putInt(3).putInt(3).putInt(0);
    return header.putLong(1).putLong(2).putLong(3).putLong(4).putLong(5).array();
  }

  private static byte[] data(int[] numbers, String... strings) {
    ByteBuffer fds = ByteBuffer.allocate(4 * numbers.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int number : numbers) {
      fds.putInt(number);
    }
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    data.writeBytes(fds.array());
    for (String string : strings) {
      data.writeBytes((string + '\0').getBytes(ISO_8859_1));
    }
    return data.toByteArray();
  }

  private static void put(byte[] header, int at, int value) {
    ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putInt(at, value);
  }

  private static List<Fd> fds(int count) throws Exception {
    List<Fd> fds = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      fds.add(Fd.open("/dev/null", Fd.O_RDONLY, 0));
    }
    return fds;
  }

  @Test
  void isReadAsItWasMeant() throws Exception {
    List<Fd> fds = fds(3);
    try (AgentRequest request = AgentRequest.decode(header, data, fds)) {
      assertThat(request.place()).isEqualTo(new AgentRequest.Place(1, 2, 3, 4, 5));
      assertThat(request.arguments()).containsExactly("rexec", "ls", "");
      assertThat(request.environment()).containsExactly("A=b", "\377=\376");
      assertThat(request.descriptors().keySet()).containsExactly(0, 2, 700);
      assertThat(request.descriptors().get(700)).isSameAs(fds.get(2));
    }
    assertThat(fds).noneMatch(Fd::isOpen);
  }

  @ParameterizedTest
  @CsvSource({"-1", "131073", "2147483647"})
  void isNotAllocatedForBeforeItsLengthIsChecked(int length) {
    put(header, LENGTH, length);
    assertThatThrownBy(() -> AgentRequest.dataLength(header)).hasMessageContaining("bytes");
  }

  @Test
  void ofAnotherVersionIsRefused() {
    header[7] = '2';
    assertThatThrownBy(() -> AgentRequest.dataLength(header)).hasMessageContaining("version");
  }

  @ParameterizedTest
  @CsvSource({"12, 2", "12, 4", "12, -1", "16, 0", "16, -1", "16, 6", "16, 2147483647"})
  void countsThatAreWrongAreRefused(int at, int value) throws Exception {
    put(header, at, value);
    List<Fd> fds = fds(3);
    assertThatThrownBy(() -> AgentRequest.decode(header, data, fds))
        .isInstanceOf(ProtocolException.class);
    Fd.closeAll(fds);
  }

  @Test
  void numbersThatDoNotAscendAreRefused() throws Exception {
    List<Fd> fds = fds(3);
    for (int[] numbers : new int[][] {{0, 0, 1}, {1, 0, 2}, {-1, 0, 1}}) {
      assertThatThrownBy(() -> AgentRequest.decode(header, data(numbers, "a", "b", "c"), fds))
          .isInstanceOf(ProtocolException.class);
    }
    Fd.closeAll(fds);
  }

  @Test
  void aStringWithoutItsEndIsRefused() throws Exception {
    List<Fd> fds = fds(3);
    byte[] cut = java.util.Arrays.copyOf(data, data.length - 1);
    assertThatThrownBy(() -> AgentRequest.decode(header, cut, fds))
        .hasMessageContaining("without its NUL");
    Fd.closeAll(fds);
  }

  /** Whatever the bytes are, they are a request or are refused, within their length. */
  @Test
  void garbageIsRefused() throws Exception {
    Random random = new Random(4711);
    List<Fd> fds = fds(3);
    int refused = 0;
    for (int i = 0; i < 100_000; i++) {
      byte[] head = header.clone();
      byte[] body = data.clone();
      for (int j = random.nextInt(1, 6); j > 0; j--) {
        byte[] either = random.nextBoolean() ? head : body;
        either[random.nextInt(either.length)] = (byte) random.nextInt();
      }
      try {
        assertThat(AgentRequest.dataLength(head)).isBetween(0, AgentRequest.MAX_DATA_LENGTH);
        AgentRequest request = AgentRequest.decode(head, body, fds);
        assertThat(request.arguments()).isNotEmpty();
        assertThat(request.descriptors()).hasSize(3);
      } catch (ProtocolException e) {
        refused++;
      }
    }
    assertThat(refused).isPositive();
    Fd.closeAll(fds);
  }
}
