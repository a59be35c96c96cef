package qtfs.qtcfg;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code struct qtinfo}: everything that a module tells of itself, as ALLINFO fills it.
 *
 * <pre>
 *                                            client   server
 *  u64 cnts[7 | 3]                                0        0
 *  u64 recv_err[36], send_err[36]           56, 344        -
 *  u64 i_events[36], o_events[36]          632, 920  24, 312
 *  u64 rsp_check[36] | req_check[36]           1208      600
 *  u32 req_size[36]                            1496     1464   576 bytes of the server unused
 *  u32 rsp_size[36]                            1640     1608
 *  i32 log_level                               1784     1752
 *  i32 thread_state[16]                        1788     1756
 *  char who_using[16][64]                      1852     1820
 *  i32 epoll_state, pvar_vld, pvar_busy        2876     2844
 *  size                                        2888     2856
 * </pre>
 *
 * Little-endian. What a module does not count is an empty list, or 0.
 *
 * @param check requests (server) or responses (client) that did not pass the check
 * @param states of each connection's thread
 * @param holders the kernel function that uses each connection, empty for none
 * @param valid connections that can be used
 * @param busy connections in use
 */
record QtInfo(
    Role role,
    Counters counters,
    List<Long> receiveErrors,
    List<Long> sendErrors,
    List<Long> received,
    List<Long> sent,
    List<Long> check,
    List<Long> requestSizes,
    List<Long> responseSizes,
    int logLevel,
    List<State> states,
    List<String> holders,
    State epollState,
    int valid,
    int busy) {
  static final int EVENT_TYPES = 36; // QTINFO_MAX_EVENT_TYPE
  static final int CONNECTIONS = 16; // QTFS_MAX_THREADS
  private static final int HOLDER_LENGTH = 64; // QTFS_FUNCTION_LEN

  /** Names of the events by index; the last of the 36 has none. */
  static final List<String> EVENTS =
      List.of(
          "null",
          "mount",
          "open",
          "close",
          "read",
          "readiter",
          "write",
          "lookup",
          "readdir",
          "mkdir",
          "rmdir",
          "getattr",
          "setattr",
          "icreate",
          "mknod",
          "unlink",
          "symlink",
          "link",
          "getlink",
          "readlink",
          "rename",
          "xattrlist",
          "xattrget",
          "xattrset",
          "sysmount",
          "sysumount",
          "fifo_poll",
          "statfs",
          "ioctl",
          "epollctl",
          "epollevent",
          "llseek",
          "sc_kill",
          "sc_getaffi",
          "sc_setaffi");

  /** The levels of the module's log by number. */
  static final List<String> LOG_LEVELS = List.of("NONE", "ERROR", "WARN", "INFO", "DEBUG");

  /** What a connection's thread is doing; a thread that was never started is unknown. */
  enum State {
    INIT,
    CONNECTING,
    ACTIVE,
    UNKNOWN;

    static State of(int number) {
      return number >= 0 && number <= 2 ? values()[number] : UNKNOWN;
    }
  }

  /**
   * {@code cnts}, in the order of the kernel.
   *
   * @param epollErrors and the following are counted by the client only
   */
  record Counters(
      long active,
      long epollAdded,
      long epollDeleted,
      long epollErrors,
      long sequenceErrors,
      long restarts,
      long typeMismatches) {}

  /** The bytes of the structure. */
  static int size(Role role) {
    return role == Role.CLIENT ? 2888 : 2856;
  }

  /** Of a module that could not be asked. */
  static QtInfo blank(Role role) {
    return decode(role, new byte[size(role)]);
  }

  /**
   * @param bytes {@link #size} of them
   */
  static QtInfo decode(Role role, byte[] bytes) {
    return role == Role.CLIENT ? client(buffer(bytes)) : server(buffer(bytes));
  }

  private static ByteBuffer buffer(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static QtInfo client(ByteBuffer b) {
    List<Long> c = longs(b, 7);
    List<Long> receiveErrors = longs(b, EVENT_TYPES);
    List<Long> sendErrors = longs(b, EVENT_TYPES);
    Counters counters =
        new Counters(c.get(0), c.get(1), c.get(2), c.get(3), c.get(4), c.get(5), c.get(6));
    return rest(Role.CLIENT, counters, receiveErrors, sendErrors, b);
  }

  private static QtInfo server(ByteBuffer b) {
    List<Long> c = longs(b, 3);
    Counters counters = new Counters(c.get(0), c.get(1), c.get(2), 0, 0, 0, 0);
    return rest(Role.SERVER, counters, List.of(), List.of(), b);
  }

  private static QtInfo rest(
      Role role, Counters counters, List<Long> receiveErrors, List<Long> sendErrors, ByteBuffer b) {
    List<Long> received = longs(b, EVENT_TYPES);
    List<Long> sent = longs(b, EVENT_TYPES);
    List<Long> check = longs(b, EVENT_TYPES);
    b.position(role == Role.CLIENT ? 1496 : 1464);
    return new QtInfo(
        role,
        counters,
        receiveErrors,
        sendErrors,
        received,
        sent,
        check,
        ints(b, EVENT_TYPES),
        ints(b, EVENT_TYPES),
        b.getInt(),
        states(b),
        holders(b),
        State.of(b.getInt()),
        b.getInt(),
        b.getInt());
  }

  private static List<Long> longs(ByteBuffer b, int count) {
    List<Long> values = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      values.add(b.getLong());
    }
    return values;
  }

  private static List<Long> ints(ByteBuffer b, int count) {
    List<Long> values = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      values.add(Integer.toUnsignedLong(b.getInt()));
    }
    return values;
  }

  private static List<State> states(ByteBuffer b) {
    List<State> states = new ArrayList<>(CONNECTIONS);
    for (int i = 0; i < CONNECTIONS; i++) {
      states.add(State.of(b.getInt()));
    }
    return states;
  }

  private static List<String> holders(ByteBuffer b) {
    List<String> holders = new ArrayList<>(CONNECTIONS);
    byte[] name = new byte[HOLDER_LENGTH];
    for (int i = 0; i < CONNECTIONS; i++) {
      b.get(name);
      int length = 0;
      while (length < name.length && name[length] != 0) {
        length++;
      }
      holders.add(new String(name, 0, length, StandardCharsets.ISO_8859_1));
    }
    return holders;
  }
}
