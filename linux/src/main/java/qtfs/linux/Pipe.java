package qtfs.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static qtfs.linux.LinuxException.check;

import java.io.Closeable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * Both ends of a new pipe, owned by the holder, close-on-exec.
 *
 * @param read where the bytes come out
 * @param write where they go in
 */
public record Pipe(Fd read, Fd write) implements Closeable {
  private static final MemorySegment PIPE2 = Libc.function("pipe2");
  private static final MemorySegment MKFIFO = Libc.function("mkfifo");

  /** A pipe whose ends block. */
  public static Pipe open() throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ends = arena.allocate(8, 4);
      check(Libc.call(PIPE2, ends.address(), Fd.O_CLOEXEC), "pipe");
      return new Pipe(Fd.own(ends.get(JAVA_INT, 0)), Fd.own(ends.get(JAVA_INT, 4)));
    }
  }

  /** Makes a named pipe; mode is cut by the umask. */
  public static void makeFifo(Path path, int mode) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = Libc.cString(arena, path.toString());
      check(Libc.call(MKFIFO, name.address(), mode), "mkfifo " + path);
    }
  }

  @Override
  public void close() {
    read.close();
    write.close();
  }
}
