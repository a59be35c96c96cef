package qtfs.qtcfg;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import qtfs.linux.Fd;
import qtfs.linux.Ioctl;

/**
 * The requests that were recorded on the real modules, once more: a program for {@link
 * SimulatedKernelTest}, which compares its lines with the recorded ones. Its argument is the role.
 */
final class KernelRules {
  private static final int LONGEST = 4095;

  private final Fd device;
  private final Role role;
  private final int type;
  private final Arena arena;

  private KernelRules(Fd device, Role role, Arena arena) {
    this.device = device;
    this.role = role;
    this.type = role.groups().size() - 1;
    this.arena = arena;
  }

  public static void main(String[] args) throws Exception {
    Role role = Role.valueOf(args[0]);
    try (Fd device = Fd.open(role.devicePath(), Fd.O_RDONLY, 0);
        Arena arena = Arena.ofConfined()) {
      KernelRules rules = new KernelRules(device, role, arena);
      rules.listRules();
      rules.holeRules();
      rules.fullRules();
      rules.otherRules();
      rules.exitRules();
    }
  }

  private void listRules() {
    get("GET index 0 of empty list", type, 0);
    delete("DEL index 0 of empty list", type, 0);
    add("ADD /a", "/a");
    add("ADD /a again (duplicate)", "/a");
    add("ADD \"/a\\0\" len 3 (trailing NUL counted)", "/a\0");
    add("ADD ptr \"/ab\" len 2 (prefix of buffer = /a)", type, bytes("/ab"), 2);
    add("ADD /ab", "/ab");
    add("ADD \"/cd\\0ef\" len 6 (embedded NUL)", "/cd\0ef");
    MemorySegment buffer = arena.allocate(10).fill((byte) 0xaa);
    says("GET index 2 into 0xAA-filled buffer", DeviceRequest.WL_GET, item(type, 0, 2, buffer));
    System.out.println(
        "   bytes: " + HexFormat.ofDelimiter(" ").formatHex(buffer.toArray(JAVA_BYTE)));
    add("ADD relative/path (no leading slash)", "relative/path");
    add("ADD /", "/");
    add("ADD single space", " ");
    list("after adds");
    add("ADD bad type = QTFS_WHITELIST_MAX", type + 1, bytes("/x"), 2);
    add("ADD bad type = 1023", 1023, bytes("/x"), 2);
    add("ADD len 0 (empty path)", type, bytes("/x"), 0);
    add("ADD path NULL len 5", type, MemorySegment.NULL, 5);
    add("ADD kernel pointer len 5", type, MemorySegment.ofAddress(0xffff888000000000L), 5);
    add("ADD unmapped user pointer len 5", type, MemorySegment.ofAddress(4096), 5);
    says("ADD item pointer NULL", DeviceRequest.WL_ADD, MemorySegment.NULL);
    add("ADD len 4095 (max 12 bit)", longest('y'));
    add("ADD len 4095 duplicate", longest('y'));
    add("ADD len 4095 differing only in byte 4094", longest('z'));
    get("GET bad index 99", type, 99);
    get("GET bad index 1023", type, 1023);
    get("GET bad type", type + 1, 0);
    says("GET index 0 path NULL", DeviceRequest.WL_GET, item(type, 0, 0, MemorySegment.NULL));
    says("GET item pointer NULL", DeviceRequest.WL_GET, MemorySegment.NULL);
  }

  private static String longest(char last) {
    return "/" + "y".repeat(LONGEST - 2) + last;
  }

  private void holeRules() {
    add("ADD non-NUL-terminated, ends at unmapped page, len 5", "/nonu");
    list("before del");
    delete("DEL index 0 (last moves into hole)", type, 0);
    list("after del 0");
    delete("DEL bad index 99", type, 99);
    delete("DEL bad type", type + 1, 0);
    says("DEL item pointer NULL", DeviceRequest.WL_DEL, MemorySegment.NULL);
    while (ask(DeviceRequest.WL_DEL, item(type, 0, 0, MemorySegment.NULL)) == 0) {}
    list("emptied");
  }

  private void fullRules() {
    int accepted = 0;
    int answer = 0;
    while (answer == 0) {
      String path = "/p" + accepted;
      answer = ask(DeviceRequest.WL_ADD, item(type, path.length(), 0, bytes(path)));
      accepted += answer == 0 ? 1 : 0;
    }
    System.out.println(
        "ADD item number 65 failed: ret=" + answer + " errno=0 (accepted " + accepted + ")");
    get("GET index 63 on full list", type, 63);
    get("GET index 64 on full list", type, 64);
    delete("DEL 0 on full list", type, 0);
    get("GET 0 afterwards", type, 0);
  }

  private void otherRules() {
    says("ALLINFO NULL", DeviceRequest.ALLINFO, MemorySegment.NULL);
    says("CLEARALL", DeviceRequest.CLEARALL, MemorySegment.NULL);
    says("LOGLEVEL NULL", DeviceRequest.LOGLEVEL, MemorySegment.NULL);
    for (String level :
        "NONE ERROR WARN INFO DEBUG warn Info FOO  ERRORXYZ NONEX DEB WARNING".split(" ", -1)) {
      MemorySegment name = arena.allocate(16);
      name.setString(0, level);
      says("LOGLEVEL \"" + level + "\"", DeviceRequest.LOGLEVEL, name);
      System.out.println("   -> log_level now " + level());
    }
    for (int value : new int[] {1, 0, 7, 0}) {
      says("EPOLL_SUPPORT " + value, DeviceRequest.EPOLL_SUPPORT, MemorySegment.ofAddress(value));
    }
    says("unknown cmd _IO('Q',13)", 0x510d, MemorySegment.NULL);
    says("unknown cmd _IO('X',1)", 0x5801, MemorySegment.NULL);
    says("TCGETS", 0x5401, MemorySegment.NULL);
  }

  private void exitRules() {
    while (ask(DeviceRequest.WL_DEL, item(type, 0, 0, MemorySegment.NULL)) == 0) {}
    if (role == Role.SERVER) {
      says("EXIT 2", DeviceRequest.EXIT, MemorySegment.ofAddress(2));
    }
    add("ADD /keep", "/keep");
    boolean server = role == Role.SERVER;
    says(
        server ? "EXIT 1 (run flag set)" : "EXIT 1 on client",
        DeviceRequest.EXIT,
        MemorySegment.ofAddress(1));
    get(
        server
            ? "GET 0 after EXIT 1 (white list is cleared by EXIT)"
            : "GET 0 after EXIT on client",
        type,
        0);
  }

  private MemorySegment bytes(String text) {
    return arena.allocateFrom(text, StandardCharsets.ISO_8859_1);
  }

  private MemorySegment item(int of, int length, int index, MemorySegment path) {
    MemorySegment item = arena.allocate(WlItem.SIZE, 8);
    item.set(JAVA_INT, 0, of | length << 10 | index << 22);
    item.set(JAVA_LONG, 8, path.address());
    return item;
  }

  private int ask(int request, MemorySegment argument) {
    return Ioctl.byPointer(device, request, argument);
  }

  private void says(String label, int request, MemorySegment argument) {
    System.out.println(label + " ret=" + ask(request, argument) + " errno=0");
  }

  private void add(String label, String path) {
    byte[] text = path.getBytes(StandardCharsets.ISO_8859_1);
    MemorySegment exact = arena.allocate(text.length);
    exact.copyFrom(MemorySegment.ofArray(text));
    add(label, type, exact, text.length);
  }

  private void add(String label, int of, MemorySegment path, int length) {
    says(label, DeviceRequest.WL_ADD, item(of, length, 0, path));
  }

  private void delete(String label, int of, int index) {
    says(label, DeviceRequest.WL_DEL, item(of, 0, index, MemorySegment.NULL));
  }

  private void get(String label, int of, int index) {
    says(label, DeviceRequest.WL_GET, item(of, 0, index, arena.allocate(4096)));
  }

  private void list(String when) {
    StringBuilder out = new StringBuilder("   list(" + when + ") type " + type + ": ");
    for (int index = 0; ; index++) {
      MemorySegment path = arena.allocate(4096);
      int answer = ask(DeviceRequest.WL_GET, item(type, 0, index, path));
      if (answer != 0) {
        System.out.println(out + "| end at index " + index + " ret=" + answer);
        return;
      }
      String text = path.getString(0, StandardCharsets.ISO_8859_1);
      out.append(index).append('=').append(text.length() > 100 ? "<long>" : text).append(' ');
    }
  }

  private int level() {
    MemorySegment info = arena.allocate(4096, 8);
    int answer = ask(DeviceRequest.ALLINFO, info);
    return answer == 0 ? info.get(JAVA_INT, role == Role.CLIENT ? 1784 : 1752) : -1;
  }
}
