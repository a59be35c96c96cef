package qtfs.qtcfg;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * {@code struct qtfs_wl_item}: one entry of a list, as WL_ADD, WL_DEL and WL_GET take it.
 *
 * <pre>
 *  0         4         8                 16
 *  +---------+---------+-----------------+
 *  | bits    | pad     | address of path |
 *  +---------+---------+-----------------+
 *  bits: type 0..9, length 10..21, index 22..31
 * </pre>
 *
 * The path has {@code length} bytes and needs no NUL. A length of 4096 would wrap to 0, and 4097 to
 * 1, so that the kernel stored a wrong entry: it cannot be made here.
 */
record WlItem(int type, int length, int index) {
  static final int SIZE = 16;
  static final int MAX_LENGTH = 4095;
  static final int MAX_INDEX = 1023;

  WlItem {
    if (type < 0 || type > 1023 || length < 0 || length > MAX_LENGTH || index < 0) {
      throw new IllegalArgumentException("type " + type + " length " + length);
    }
    if (index > MAX_INDEX) {
      throw new IllegalArgumentException("index " + index);
    }
  }

  static WlItem path(int type, int length) {
    return new WlItem(type, length, 0);
  }

  static WlItem at(int type, int index) {
    return new WlItem(type, 0, index);
  }

  int bits() {
    return type | length << 10 | index << 22;
  }

  MemorySegment allocate(Arena arena, MemorySegment path) {
    MemorySegment item = arena.allocate(SIZE, 8);
    item.set(JAVA_INT, 0, bits());
    item.set(JAVA_LONG, 8, path.address());
    return item;
  }
}
