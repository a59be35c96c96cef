package qtfs.qtcfg;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** D2: requests and structures are those of the C compiler, recorded for both modules. */
final class LayoutTest {

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = requireNonNull(LayoutTest.class.getResourceAsStream(name))) {
      return in.readAllBytes();
    }
  }

  private static List<String> layout(Role role) throws IOException {
    return new String(resource("layout-" + role.word() + ".txt"), US_ASCII).lines().toList();
  }

  private static Map<String, Integer> find(Role role, String regex) throws IOException {
    Map<String, Integer> found = new HashMap<>();
    for (String line : layout(role)) {
      Matcher matcher = Pattern.compile(regex).matcher(line);
      if (matcher.find()) {
        found.put(matcher.group(1), Integer.decode(matcher.group(2)));
      }
    }
    return found;
  }

  @ParameterizedTest
  @EnumSource
  void requests(Role role) throws Exception {
    Map<String, Integer> recorded = find(role, "QTFS_IOCTL_(\\w+) += (0x\\w+)");
    assertThat(recorded).hasSize(13);
    for (Map.Entry<String, Integer> each : recorded.entrySet()) {
      assertThat(DeviceRequest.class.getField(each.getKey()).getInt(null))
          .as(each.getKey())
          .isEqualTo(each.getValue());
    }
  }

  @ParameterizedTest
  @EnumSource
  void sizes(Role role) throws IOException {
    assertThat(QtInfo.size(role))
        .isEqualTo(find(role, "sizeof\\(struct (qtinfo)\\)=(\\d+)").get("qtinfo"));
    assertThat(role.groups())
        .hasSize(
            requireNonNull(find(role, "(QTFS_WHITELIST_MAX)=(\\d+)").get("QTFS_WHITELIST_MAX")));
    assertThat(QtInfo.EVENT_TYPES)
        .isEqualTo(find(role, "(QTINFO_MAX_EVENT_TYPE)=(\\d+)").get("QTINFO_MAX_EVENT_TYPE"));
    assertThat(role.groups().indexOf(qtfs.whitelist.Group.UDSCONNECT))
        .isEqualTo(
            find(role, "(QTFS_WHITELIST_UDSCONNECT)=(\\d+)").get("QTFS_WHITELIST_UDSCONNECT"));
  }

  /** Writes a different number into each field, where the C compiler has it. */
  @ParameterizedTest
  @EnumSource
  void everyFieldOfQtinfoIsReadFromItsPlace(Role role) throws IOException {
    Map<String, Integer> offsets = find(role, "qtinfo\\.(?:[cs]\\.)?(\\w+) +offset=(\\d+)");
    assertThat(offsets).hasSize(role == Role.CLIENT ? 14 : 12);
    ByteBuffer b = ByteBuffer.allocate(QtInfo.size(role)).order(ByteOrder.LITTLE_ENDIAN);
    Map<String, Long> written = new HashMap<>();
    long number = 0;
    for (Map.Entry<String, Integer> field : offsets.entrySet()) {
      number += 3;
      written.put(field.getKey(), number);
      switch (field.getKey()) {
        case "req_size", "rsp_size", "log_level", "pvar_vld", "pvar_busy" ->
            b.putInt(field.getValue(), (int) number);
        case "thread_state", "epoll_state" -> b.putInt(field.getValue(), 2);
        case "who_using" -> b.put(field.getValue() + 64, (byte) 'x');
        default -> b.putLong(field.getValue(), number);
      }
    }
    QtInfo info = QtInfo.decode(role, b.array());
    assertThat(info.counters().active()).isEqualTo(written.get("cnts"));
    assertThat(info.received().get(0)).isEqualTo(written.get("i_events"));
    assertThat(info.sent().get(0)).isEqualTo(written.get("o_events"));
    assertThat(info.check().get(0))
        .isEqualTo(written.get(role == Role.CLIENT ? "rsp_check" : "req_check"));
    assertThat(info.requestSizes().get(0)).isEqualTo(written.get("req_size"));
    assertThat(info.responseSizes().get(0)).isEqualTo(written.get("rsp_size"));
    assertThat(info.logLevel()).isEqualTo(requireNonNull(written.get("log_level")).intValue());
    assertThat(info.valid()).isEqualTo(requireNonNull(written.get("pvar_vld")).intValue());
    assertThat(info.busy()).isEqualTo(requireNonNull(written.get("pvar_busy")).intValue());
    assertThat(info.epollState()).isEqualTo(QtInfo.State.ACTIVE);
    assertThat(info.states()).startsWith(QtInfo.State.ACTIVE, QtInfo.State.INIT);
    assertThat(info.holders()).startsWith("", "x", "");
    if (role == Role.CLIENT) {
      assertThat(info.receiveErrors().get(0)).isEqualTo(written.get("recv_err"));
      assertThat(info.sendErrors().get(0)).isEqualTo(written.get("send_err"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void countersHaveTheOrderOfTheEnum(Role role) {
    ByteBuffer b = ByteBuffer.allocate(QtInfo.size(role)).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < (role == Role.CLIENT ? 7 : 3); i++) {
      b.putLong(8 * i, i + 1L);
    }
    assertThat(QtInfo.decode(role, b.array()).counters())
        .isEqualTo(
            role == Role.CLIENT
                ? new QtInfo.Counters(1, 2, 3, 4, 5, 6, 7)
                : new QtInfo.Counters(1, 2, 3, 0, 0, 0, 0));
  }

  @ParameterizedTest
  @EnumSource
  void wlItem(Role role) throws IOException {
    Map<String, WlItem> items =
        Map.of(
            "type=0x3ff only ", new WlItem(0x3ff, 0, 0),
            "len=0xfff only  ", new WlItem(0, 0xfff, 0),
            "index=0x3ff only", new WlItem(0, 0, 0x3ff),
            "type=13 len=14 index=5 path=0x1122334455667788", new WlItem(13, 14, 5));
    for (Map.Entry<String, WlItem> each : items.entrySet()) {
      long address = each.getKey().contains("path") ? 0x1122334455667788L : 0;
      String recorded =
          layout(role).stream()
              .filter(line -> line.startsWith("  wl_item " + each.getKey() + ": "))
              .findFirst()
              .orElseThrow()
              .replaceFirst(".*: ", "");
      try (Arena arena = Arena.ofConfined()) {
        byte[] bytes =
            each.getValue()
                .allocate(arena, MemorySegment.ofAddress(address))
                .toArray(ValueLayout.JAVA_BYTE);
        assertThat(HexFormat.ofDelimiter(" ").formatHex(bytes)).isEqualTo(recorded);
      }
    }
  }

  @Test
  void aPathThatWouldWrapCannotBeMade() {
    assertThatThrownBy(() -> WlItem.path(0, 4096)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> WlItem.at(0, 1024)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> WlItem.at(0, -1)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aClientWithFileOperationsBehindIt() throws IOException {
    QtInfo info = QtInfo.decode(Role.CLIENT, resource("client-allinfo-fsops.bin"));
    assertThat(info.counters()).isEqualTo(new QtInfo.Counters(1, 0, 0, 0, 0, 0, 0));
    assertThat(info.sent()).isEqualTo(info.received());
    assertThat(info.sent().subList(0, 14))
        .containsExactly(0L, 1L, 3L, 3L, 0L, 4L, 1L, 15L, 6L, 1L, 1L, 16L, 0L, 1L);
    assertThat(info.sendErrors()).isEqualTo(Collections.nCopies(36, 0L));
    assertThat(info.requestSizes()).startsWith(24L, 4096L, 4112L);
    assertThat(info.logLevel()).isEqualTo(1);
    assertThat(info.states()).startsWith(QtInfo.State.ACTIVE, QtInfo.State.UNKNOWN);
    assertThat(info.epollState()).isEqualTo(QtInfo.State.ACTIVE);
    assertThat(info.valid()).isEqualTo(1);
    assertThat(InfoText.all(info))
        .contains(
            "null      : 0          mount     : 1          open      : 3         \n",
            "lookup    : 15         readdir   : 6         \n",
            "Send events total: 55\n",
            "Recv events total: 55\n",
            "Active connects: 1        Seq err count   : 0        Restartsys   : 0       \n",
            "Conn1 : ACTIVE     Conn2 : UNKNOWN    Conn3 : UNKNOWN   \n",
            "Conn16: UNKNOWN    Epoll state: ACTIVE    \n",
            "Parameter valid count: 1  Parameter busy count: 0 \n");
  }

  @Test
  void aServerWithAClient() throws IOException {
    QtInfo info = QtInfo.decode(Role.SERVER, resource("server-allinfo-mounted.bin"));
    assertThat(info.received().get(1)).isEqualTo(1);
    assertThat(info.receiveErrors()).isEmpty();
    assertThat(info.states())
        .startsWith(
            QtInfo.State.ACTIVE,
            QtInfo.State.CONNECTING,
            QtInfo.State.CONNECTING,
            QtInfo.State.CONNECTING,
            QtInfo.State.UNKNOWN);
    assertThat(info.holders()).startsWith("qtfs_server_misc_ioctl").endsWith("");
    assertThat(info.busy()).isEqualTo(4);
    assertThat(InfoText.all(info)).contains("Conn1  holder: [qtfs_server_misc_ioctl]\n");
  }

  @Test
  void freshModulesAndOneWithoutAClient() throws IOException {
    assertThat(QtInfo.decode(Role.CLIENT, resource("client-fresh.bin")).epollState())
        .isEqualTo(QtInfo.State.CONNECTING);
    assertThat(QtInfo.decode(Role.SERVER, resource("server-fresh.bin")).epollState())
        .isEqualTo(QtInfo.State.UNKNOWN);
    QtInfo alone = QtInfo.decode(Role.SERVER, resource("server-allinfo-noclient.bin"));
    assertThat(alone.states().subList(0, 4)).containsOnly(QtInfo.State.CONNECTING);
    assertThat(QtInfo.decode(Role.CLIENT, resource("client-allinfo-mounted.bin")).sent().get(1))
        .isEqualTo(1);
  }
}
