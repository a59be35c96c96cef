package qtfs.udsproxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every type and length of a frame is taken or refused as written down, before anything is kept of
 * it; and where a stream is split makes no difference.
 */
final class FrameReaderTest {
  private static final int MOST = Integer.MAX_VALUE;

  /** Reads a stream that arrives in pieces into one line for each event. */
  private static final class Events {
    private final FrameReader reader;
    private final List<String> events = new ArrayList<>();
    private final StringBuilder payload = new StringBuilder();

    Events(Dialect dialect) {
      reader = new FrameReader(dialect);
    }

    Events feed(byte[] bytes, int from, int to) throws ProtocolException {
      ByteBuf in = Unpooled.wrappedBuffer(bytes, from, to - from);
      while (true) {
        switch (reader.next(in)) {
          case NEED_MORE -> {
            assertThat(in.isReadable()).isFalse();
            return this;
          }
          case PASSED -> events.add(reader.passed().toString());
          case END -> events.add("END");
          case EMPTY -> events.add("EMPTY");
          case CONTROL -> events.add(reader.control().toString());
          case CONTENT -> takePayload(in);
          case CONTENT_LOST -> events.add("CONTENT_LOST");
          case PAYLOAD -> takePayload(in);
        }
      }
    }

    private void takePayload(ByteBuf in) {
      int count = Math.min(reader.payloadLeft(), in.readableBytes());
      payload.append(ByteBufUtil.hexDump(in, in.readerIndex(), count));
      reader.takePayload(in, count);
      if (reader.payloadLeft() == 0) {
        events.add("PAYLOAD " + payload);
        payload.setLength(0);
      }
    }

    List<String> toList() {
      return events;
    }
  }

  private static byte[] header(int msgtype, int msglen) {
    ByteBuf out = Unpooled.buffer(Frame.HEADER_LENGTH);
    Frame.header(out, msgtype, msglen);
    return ByteBufUtil.getBytes(out);
  }

  @ParameterizedTest
  @CsvSource({
    "V1, 0xa5a5, 1, 4088", // NORMAL
    "V1, 0xa5a6, 6, 1023", // SCM_RIGHTS
    "V1, 0xa5aa, 8, 8", // SCM_PIPE
    "V1, 0xa5ab, 0, 0", // END
    "EXTENDED, 0xa5a6, 6, 1023",
    "EXTENDED, 0xa5aa, 8, 8",
    "EXTENDED, 0xa5b0, 0, 65536", // PAYLOAD
    "EXTENDED, 0xa5b1, 0, 0", // EOF
    "EXTENDED, 0xa5b2, 4, 4", // GONE
    "EXTENDED, 0xa5b3, 12, 27", // FROM
    "EXTENDED, 0xa5b8, 14, 4108", // FD_FILE
    "EXTENDED, 0xa5b9, 12, 12", // FD_SOCKET
    "EXTENDED, 0xa5ba, 20, 20", // FD_CONTENT
    "EXTENDED, 0xa5bc, 18, 4112", // FD_PATH
  })
  void takesTheLengthsOfATypeAndNoOthers(Dialect dialect, String type, int least, int most)
      throws Exception {
    int msgtype = Integer.decode(type);
    for (int msglen : new int[] {-1, 0, 1, least - 1, least, most, most + 1, MOST}) {
      byte[] header = header(msgtype, msglen);
      if (msglen >= least && msglen <= most) {
        new Events(dialect).feed(header, 0, header.length);
      } else {
        assertRefused(dialect, header, "msglen " + msglen);
      }
    }
  }

  /** What the other dialect has is as unknown as what nobody has. */
  @ParameterizedTest
  @CsvSource({
    "V1, 0xa5b0 0xa5b1 0xa5b2 0xa5b3 0xa5b8 0xa5b9 0xa5ba 0xa5bb 0xa5bc",
    "EXTENDED, 0xa5a5 0xa5ab 0xa5b4 0xa5b5 0xa5b6 0xa5b7 0xa5bd 0xa5bf 0xa5c0",
  })
  void refusesTypesThatTheDialectDoesNotHave(Dialect dialect, String own) {
    String everywhere = "0 1 2 0xa5a4 0xa5a7 0xa5a8 0xa5a9 0xa5ac 0x5a5a -1 -2147483648 0x00a5a500";
    for (String type : (own + " " + everywhere).split(" ")) {
      for (int msglen : new int[] {-1, 0, 1, 8, 112, 4088, 4089, 65536, 65537, MOST}) {
        assertRefused(dialect, header(Integer.decode(type), msglen), "unknown msgtype");
      }
    }
  }

  /** Refused, in one piece and byte by byte, without memory of the announced size. */
  private static void assertRefused(Dialect dialect, byte[] header, String message) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    assertThatThrownBy(() -> new Events(dialect).feed(header, 0, header.length))
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining(message);
    assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(4 << 20);
    Events slow = new Events(dialect);
    assertThatThrownBy(
            () -> {
              for (int i = 0; i < header.length; i++) {
                slow.feed(header, i, i + 1);
              }
            })
        .isInstanceOf(ProtocolException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a6a5000006000000 00000000 6161", // no NUL
        "a6a5000006000000 00000000 0061", // no path
        "aaa5000008000000 02000000 0b000000", // neither end
        "aaa5000008000000 ffffffff 0b000000",
      })
  void refusesBodiesThatSayNothing(String hex) {
    byte[] bytes = ByteBufUtil.decodeHexDump(hex.replace(" ", ""));
    for (Dialect dialect : Dialect.values()) {
      assertThatThrownBy(() -> new Events(dialect).feed(bytes, 0, bytes.length))
          .isInstanceOf(ProtocolException.class);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "b01-connect-hello-reply",
        "b03-payload-10000",
        "b04-scm-regular-file",
        "b05-scm-pipe-read",
        "b06-scm-pipe-write",
        "b08-target-closes-first",
        "b09-half-close",
        "b10-scm-one-byte",
        "b11-scm-two-files-two-messages",
        "b12-scm-socket",
        "d01-rexec-across-hosts",
      })
  void readsARecordedStreamTheSameWhereverItIsSplit(String scene) throws Exception {
    assertSplitsAreTheSame(Dialect.V1, Recorded.of(scene, "tcp1.A-B").from(Recorded.REQUEST));
    assertSplitsAreTheSame(
        Dialect.V1, Recorded.of(scene, "tcp1.B-A").from(PeerRequest.ANSWER_LENGTH));
  }

  private static final String FIVE_BYTES =
      "baa5000014000000 02000000 0000000000000000 0500000000000000 ";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bba500000100000061", // CONTENT of nothing
        "bba5000000000000",
        FIVE_BYTES + "bba50000 06000000", // more than there is
        FIVE_BYTES + "bba50000 ffffffff",
        FIVE_BYTES + "bba50000 03000000 616263 bba50000 03000000",
        FIVE_BYTES + "b0a50000 05000000", // something between
        FIVE_BYTES + "b1a50000 00000000",
        FIVE_BYTES + "bba50000 03000000 616263 b0a50000 02000000",
        FIVE_BYTES + "bba50000 05000000 6162636465 bba50000 00000000",
        "baa5000014000000 02000000 0000000000000000 0100000400000000", // 64 MiB and a byte
        "baa5000014000000 02000000 0000000000000000 ffffffffffffffff",
        "baa5000014000000 02000000 ffffffffffffffff 0100000000000000",
        "b8a500000e000000 00000000 ffffffffffffffff 6100", // offset -1
        "b8a500000e000000 00000000 0000000000000000 6161", // no NUL
        "b8a500000e000000 00000000 0000000000000000 0061", // no path
        "b8a500000f000000 00000000 0000000000000000 80ff00", // no UTF-8
        "bca5000012000000 00000000 00800000 00000000 00000000 6100", // a regular file
        "bca5000012000000 00000000 00600000 00000000 00000000 6100", // a block device
        "bca5000012000000 00000000 00000000 00000000 00000000 6100",
        "bca5000012000000 00000000 00400000 00000000 00000000 6161",
      })
  void refusesDescriptorsThatCannotBe(String hex) {
    byte[] bytes = ByteBufUtil.decodeHexDump(hex.replace(" ", ""));
    assertThatThrownBy(() -> new Events(Dialect.EXTENDED).feed(bytes, 0, bytes.length))
        .isInstanceOf(ProtocolException.class);
  }

  /** A stream of every frame that the dialect has. */
  @Test
  void readsTheExtendedDialectTheSameWhereverItIsSplit() throws Exception {
    ByteBuf stream = Unpooled.buffer();
    new Frame.From(new Requester(77, 1000, -1, "qemu-kvm")).encode(stream);
    new Frame.From(new Requester(0, 0, 0, "")).encode(stream);
    new Frame.ScmRights(2, "/var/lib/x").encode(stream);
    new Frame.ScmPipe(PipeEnd.WRITE, 11).encode(stream);
    new FdFrame.File(1, 7, "/f").encode(stream);
    new FdFrame.Socket(2, -3).encode(stream);
    new FdFrame.Content(2, 0, 5).encode(stream);
    Frame.header(stream, FdFrame.CONTENT, 3);
    stream.writeZero(3);
    Frame.header(stream, FdFrame.CONTENT, 2);
    stream.writeZero(2);
    new FdFrame.Content(2, 0, 5).encode(stream);
    Frame.header(stream, FdFrame.CONTENT, 0);
    new FdFrame.Content(2, 0, 0).encode(stream);
    new FdFrame.Place(0, FdFrame.Place.Type.DEVICE, 1L << 32 | 3, "/dev/null").encode(stream);
    Frame.header(stream, Frame.PAYLOAD, 5);
    stream.writeBytes("hello".getBytes(UTF_8));
    Frame.header(stream, Frame.PAYLOAD, 0);
    Frame.header(stream, Frame.PAYLOAD, 300);
    stream.writeZero(300);
    new Frame.Eof().encode(stream);
    new Frame.Gone(104).encode(stream);
    byte[] bytes = ByteBufUtil.getBytes(stream);
    assertThat(new Events(Dialect.EXTENDED).feed(bytes, 0, bytes.length).toList())
        .containsExactly(
            "From[requester=qemu-kvm, pid 77 uid 1000 gid 4294967295]",
            "From[requester=pid 0 uid 0 gid 0]",
            "ScmRights[flags=2, path=/var/lib/x]",
            "ScmPipe[end=WRITE, srcfd=11]",
            "File[flags=1, offset=7, path=/f]",
            "Socket[flags=2, token=-3]",
            "Content[flags=2, offset=0, size=5]",
            "PAYLOAD 000000",
            "PAYLOAD 0000",
            "Content[flags=2, offset=0, size=5]",
            "CONTENT_LOST",
            "Content[flags=2, offset=0, size=0]",
            "Place[flags=0, type=character device, device=4294967299, path=/dev/null]",
            "PAYLOAD 68656c6c6f",
            "EMPTY",
            "PAYLOAD " + "00".repeat(300),
            "Eof[]",
            "Gone[errno=104]");
    assertSplitsAreTheSame(Dialect.EXTENDED, bytes);
  }

  private static void assertSplitsAreTheSame(Dialect dialect, byte[] stream) throws IOException {
    List<String> whole = new Events(dialect).feed(stream, 0, stream.length).toList();
    if (stream.length > 0 && dialect == Dialect.V1) {
      assertThat(whole).last().isIn("END", "EMPTY");
    }
    Events slow = new Events(dialect);
    for (int i = 0; i < stream.length; i++) {
      slow.feed(stream, i, i + 1);
    }
    assertThat(slow.toList()).isEqualTo(whole);
    // Around and in each header and small body; inside a long payload every byte is alike.
    for (int split = 0; split <= stream.length; split += split % 4096 < 512 ? 1 : 61) {
      Events two = new Events(dialect).feed(stream, 0, split).feed(stream, split, stream.length);
      assertThat(two.toList()).as("split at %d", split).isEqualTo(whole);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "b04-scm-regular-file, 'ScmRights[flags=32768, path=/srv/peer/log/reg.txt]'",
    "b05-scm-pipe-read, 'ScmPipe[end=READ, srcfd=11]'",
    "b06-scm-pipe-write, 'ScmPipe[end=WRITE, srcfd=11]'",
  })
  void readsWhatWasRecorded(String scene, String passed) throws Exception {
    byte[] stream = Recorded.of(scene, "tcp1.A-B").from(Recorded.REQUEST);
    assertThat(new Events(Dialect.V1).feed(stream, 0, stream.length).toList())
        .containsExactly(passed, "PAYLOAD 68656c6c6f", "END");
  }
}
