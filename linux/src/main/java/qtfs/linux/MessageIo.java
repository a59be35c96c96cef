package qtfs.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * recvmsg(2) and sendmsg(2) with scatter, gather and passed descriptors.
 *
 * <p>Holds one message header, {@value #MAX_IOVECS} iovecs and a control buffer, used anew by every
 * call: for one thread, usually one an event loop. Results follow the kernel: a count, 0 at the end
 * of the stream, {@code -errno} on failure.
 *
 * <pre>
 * struct msghdr, 56 bytes             struct cmsghdr
 *  0 name, 8 namelen                   0 u64 len, 8 i32 level, 12 i32 type, 16 data
 * 16 iov, 24 iovlen                   struct iovec
 * 32 control, 40 controllen, 48 flags  0 base, 8 len
 * </pre>
 */
public final class MessageIo implements AutoCloseable {
  /** The most descriptors that Linux passes in one message: SCM_MAX_FD, net/scm.h. */
  public static final int MAX_FDS = 253;

  /** How many pieces one call scatters or gathers. */
  public static final int MAX_IOVECS = 128;

  private static final MemorySegment RECVMSG = Libc.function("recvmsg");
  private static final MemorySegment SENDMSG = Libc.function("sendmsg");
  private static final int SOL_SOCKET = 1;
  private static final int SCM_RIGHTS = 1;
  private static final int MSG_CTRUNC = 8;
  private static final int MSG_DONTWAIT = 0x40;
  private static final int MSG_NOSIGNAL = 0x4000;
  private static final int MSG_CMSG_CLOEXEC = 0x4000_0000;
  private static final int CMSG_HEADER = 16;
  private static final int MSG_TRUNC = 0x20;
  private static final int TIMESTAMP_SPACE = CMSG_HEADER + 16; // struct timeval
  private static final int CONTROL_SIZE =
      TIMESTAMP_SPACE + CMSG_HEADER + 4 * MAX_FDS + 4; // CMSG_SPACE: multiple of 8
  private static final int FAMILY_LENGTH = 2;
  private static final int ADDRESS_SIZE = FAMILY_LENGTH + UnixSocket.SUN_PATH_LENGTH;

  private final Arena arena;
  private final MemorySegment header;
  private final MemorySegment iovecs;
  private final MemorySegment control;
  private final MemorySegment address;
  private final int wait;

  /** Calls wait on a socket that blocks. */
  public MessageIo() {
    this(false, 0);
  }

  @SuppressWarnings("MustBeClosedChecker") // closed with this object
  private MessageIo(boolean ofOneThread, int wait) {
    this.arena = ofOneThread ? Arena.ofConfined() : Arena.ofShared();
    this.header = arena.allocate(56, 8);
    this.iovecs = arena.allocate(16L * MAX_IOVECS, 8);
    this.control = arena.allocate(CONTROL_SIZE, 8);
    this.address = arena.allocate(ADDRESS_SIZE, 8);
    this.wait = wait;
  }

  /**
   * The same for the calling thread alone, also to be closed by it: to close memory that others
   * might use has the JVM ask each of its threads.
   */
  public static MessageIo ofThisThread() {
    return new MessageIo(true, 0);
  }

  /** The same whose calls never wait, as {@link #neverWaiting}. */
  public static MessageIo ofThisThreadNeverWaiting() {
    return new MessageIo(true, MSG_DONTWAIT);
  }

  /**
   * Calls never wait, also on a socket that blocks because somebody else who shares it wants it to.
   */
  public static MessageIo neverWaiting() {
    return new MessageIo(false, MSG_DONTWAIT);
  }

  /** Sets one piece: the memory must stay valid until the call has returned. */
  public void piece(int index, long address, long length) {
    iovecs.set(JAVA_LONG, 16L * index, address);
    iovecs.set(JAVA_LONG, 16L * index + 8, length);
  }

  /**
   * Receives into the first {@code pieces} pieces. The descriptors that came along are {@link
   * #takeFds taken} by the caller before the next call, or they leak.
   *
   * @return bytes, 0 at the end, or {@code -errno}
   */
  public long receive(Fd socket, int pieces) {
    prepare(pieces, CONTROL_SIZE);
    return receive(socket);
  }

  private long receive(Fd socket) {
    long received =
        Libc.callLong(RECVMSG, socket.number(), header.address(), MSG_CMSG_CLOEXEC | wait);
    if (received < 0) {
      // The kernel has left it as it was: as long as the buffer, which holds an older message's.
      header.set(JAVA_LONG, 40, 0);
    }
    return received;
  }

  /** Receives as {@link #receive} does, and keeps the {@link #sender}. */
  public long receiveFrom(Fd socket, int pieces) {
    prepare(pieces, CONTROL_SIZE);
    header.set(JAVA_LONG, 0, address.address());
    header.set(JAVA_INT, 8, ADDRESS_SIZE);
    return receive(socket);
  }

  /** Who has sent the message just received, as {@link #sendTo} takes it; empty if not bound. */
  public byte[] sender() {
    int length = Math.min(header.get(JAVA_INT, 8), ADDRESS_SIZE) - FAMILY_LENGTH;
    return length <= 0
        ? new byte[0]
        : address.asSlice(FAMILY_LENGTH, length).toArray(ValueLayout.JAVA_BYTE);
  }

  /** Whether the message just received was longer than the pieces: what did not fit is lost. */
  public boolean wasTruncated() {
    return (header.get(JAVA_INT, 48) & MSG_TRUNC) != 0;
  }

  /**
   * Whether the last call has received a message at all, on a socket with {@link
   * UnixSocket#stampMessages}: 0 bytes are an empty message, or the end.
   */
  public boolean wasMessage() {
    return header.get(JAVA_LONG, 40) > 0;
  }

  /** The descriptors of the message just received, in order, close-on-exec, owned by the caller. */
  public List<Fd> takeFds() {
    long length = header.get(JAVA_LONG, 40);
    List<Fd> fds = List.of();
    for (long at = 0; at + CMSG_HEADER <= length; ) {
      long size = control.get(JAVA_LONG, at);
      if (size < CMSG_HEADER) {
        break;
      }
      if (control.get(JAVA_INT, at + 8) == SOL_SOCKET
          && control.get(JAVA_INT, at + 12) == SCM_RIGHTS) {
        fds = fds.isEmpty() ? new ArrayList<>() : fds;
        for (long fd = at + CMSG_HEADER; fd + 4 <= at + size; fd += 4) {
          fds.add(Fd.own(control.get(JAVA_INT, fd)));
        }
      }
      at += (size + 7) & ~7L; // CMSG_ALIGN
    }
    return fds;
  }

  /**
   * Whether the message just received came with descriptors that the kernel dropped, because this
   * process may not open more.
   */
  public boolean fdsWereDropped() {
    return (header.get(JAVA_INT, 48) & MSG_CTRUNC) != 0;
  }

  /**
   * Sends the first {@code pieces} pieces with copies of the descriptors, which stay the caller's.
   * Never raises SIGPIPE.
   *
   * @param fds at most {@value #MAX_FDS}; with any, at least one byte must be sent
   * @return bytes, or {@code -errno}; with at least one byte sent all descriptors were sent
   */
  public long send(Fd socket, int pieces, List<Fd> fds) {
    prepare(pieces, putFds(fds));
    return Libc.callLong(SENDMSG, socket.number(), header.address(), MSG_NOSIGNAL | wait);
  }

  /**
   * Sends the first {@code pieces} pieces to a socket that this one is not connected to.
   *
   * @param to as {@link #sender} gives it
   * @return bytes, or {@code -errno}
   */
  public long sendTo(Fd socket, int pieces, List<Fd> fds, byte[] to) {
    prepare(pieces, putFds(fds));
    address.set(JAVA_SHORT, 0, (short) UnixSocket.AF_UNIX);
    MemorySegment.copy(to, 0, address, ValueLayout.JAVA_BYTE, FAMILY_LENGTH, to.length);
    header.set(JAVA_LONG, 0, address.address());
    header.set(JAVA_INT, 8, FAMILY_LENGTH + to.length);
    return Libc.callLong(SENDMSG, socket.number(), header.address(), MSG_NOSIGNAL | wait);
  }

  /** Puts descriptors into the control buffer, and returns how much of it they take. */
  private long putFds(List<Fd> fds) {
    int count = fds.size();
    if (count > MAX_FDS) {
      throw new IllegalArgumentException(count + " descriptors in one message");
    }
    if (count > 0) {
      control.set(JAVA_LONG, 0, CMSG_HEADER + 4L * count);
      control.set(JAVA_INT, 8, SOL_SOCKET);
      control.set(JAVA_INT, 12, SCM_RIGHTS);
      for (int i = 0; i < count; i++) {
        control.set(JAVA_INT, CMSG_HEADER + 4L * i, fds.get(i).number());
      }
    }
    return count == 0 ? 0 : (CMSG_HEADER + 4L * count + 7) & ~7L;
  }

  private void prepare(int pieces, long controlLength) {
    header.set(JAVA_LONG, 0, 0);
    header.set(JAVA_INT, 8, 0);
    header.set(JAVA_LONG, 16, iovecs.address());
    header.set(JAVA_LONG, 24, pieces);
    header.set(JAVA_LONG, 32, controlLength == 0 ? 0 : control.address());
    header.set(JAVA_LONG, 40, controlLength);
    header.set(JAVA_INT, 48, 0);
  }

  @Override
  public void close() {
    arena.close();
  }
}
