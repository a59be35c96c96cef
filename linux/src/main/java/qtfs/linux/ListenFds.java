package qtfs.linux;

import java.io.Closeable;
import java.io.IOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The listening sockets that a service manager has opened for this process: descriptors from 3 on,
 * as sd_listen_fds(3) has them, each under a name.
 *
 * <p>Owns them all, close-on-exec, until they are taken; who has taken what it knows calls {@link
 * #requireNoMore}, because clients would wait for ever at a socket that nobody serves. The
 * variables name the process that they are for, so that a child which sees them knows that they are
 * not for it. One thread.
 */
public final class ListenFds implements Closeable {
  private static final int FIRST = 3; // SD_LISTEN_FDS_START
  private static final int MOST = 1024;

  private final Map<String, Fd> sockets;

  private ListenFds(Map<String, Fd> sockets) {
    this.sockets = sockets;
  }

  /** None. */
  public static ListenFds none() {
    return new ListenFds(new LinkedHashMap<>());
  }

  /**
   * What this process has been given: once, at its start.
   *
   * @throws IOException with one line that says which variable or descriptor is wrong
   */
  public static ListenFds fromEnvironment() throws IOException {
    return from(System.getenv(), ProcessAttributes.pid(), FIRST);
  }

  static ListenFds from(Map<String, String> environment, int pid, int first) throws IOException {
    if (!Integer.toString(pid).equals(environment.get("LISTEN_PID"))) {
      return none();
    }
    int count = count(environment.getOrDefault("LISTEN_FDS", "0"));
    List<String> names = names(environment.get("LISTEN_FDNAMES"), count);
    for (int i = 0; i < count; i++) {
      Fcntl.closeOnExec(first + i, true); // which is also whether it is there
      requireDistinct(names.subList(0, i), names.get(i));
    }
    Map<String, Fd> sockets = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      sockets.put(names.get(i), Fd.own(first + i));
    }
    return new ListenFds(sockets);
  }

  private static int count(String text) throws IOException {
    try {
      int count = Integer.parseInt(text);
      if (count >= 0 && count <= MOST) {
        return count;
      }
    } catch (NumberFormatException _) {
      // told below
    }
    throw new IOException("LISTEN_FDS is \"" + text + "\", must be a number from 0 to " + MOST);
  }

  private static List<String> names(@Nullable String text, int count) throws IOException {
    List<String> names =
        text == null ? Collections.nCopies(count, "unknown") : List.of(text.split(":", -1));
    if (count > 0 && names.size() != count) {
      throw new IOException(
          "LISTEN_FDNAMES is \"" + text + "\", must be " + count + " names with colons between");
    }
    return names;
  }

  private static void requireDistinct(List<String> earlier, String name) throws IOException {
    if (earlier.contains(name)) {
      throw new IOException(
          "two inherited sockets are named \""
              + name
              + "\": give each socket unit a FileDescriptorName= of its own");
    }
  }

  /**
   * Takes the socket of a name, if there is one: listening, of one of the families, and not
   * blocking from now on.
   *
   * @return owned by the caller
   * @throws IOException if it is something else
   */
  public Optional<Fd> takeStream(String name, SocketFamily... families) throws IOException {
    Fd socket = sockets.get(name);
    if (socket == null) {
      return Optional.empty();
    }
    requireStream(name, socket, families);
    Fcntl.statusFlags(socket, Fcntl.statusFlags(socket) | Fd.O_NONBLOCK);
    sockets.remove(name);
    return Optional.of(socket);
  }

  private static void requireStream(String name, Fd socket, SocketFamily... families)
      throws IOException {
    String found;
    try {
      SocketStatus status = SocketStatus.of(socket.number());
      if (Stream.of(families).anyMatch(f -> status.isListening(f, UnixSocket.Type.STREAM))) {
        return;
      }
      found = status.toString();
    } catch (LinuxException e) {
      if (e.errno() != Errno.ENOTSOCK) {
        throw e;
      }
      found = FileStatus.of(socket).kind();
    }
    throw new IOException(
        "the inherited socket \""
            + name
            + "\" ("
            + socket
            + ") is a "
            + found
            + ", must be a listening "
            + Stream.of(families).map(SocketFamily::toString).collect(Collectors.joining(" or "))
            + " STREAM socket: look at ListenStream= in its socket unit");
  }

  /**
   * Makes sure that all have been taken.
   *
   * @param known the names that the program takes, for the line that complains
   */
  public void requireNoMore(List<String> known) throws IOException {
    if (!sockets.isEmpty()) {
      throw new IOException(
          "the inherited socket \""
              + sockets.keySet().iterator().next()
              + "\" has no use here: set FileDescriptorName= of its socket unit to "
              + String.join(" or ", known));
    }
  }

  /** Closes what nobody has taken. */
  @Override
  public void close() {
    Fd.closeAll(sockets.values());
    sockets.clear();
  }
}
