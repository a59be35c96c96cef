package qtfs.rexec;

import static java.util.Objects.requireNonNull;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import qtfs.linux.ByteStrings;
import qtfs.linux.Fd;

/**
 * What a client wants run: an EXEC message and two PIPE messages, in any order, with one descriptor
 * each, or more with EXEC. Owns the descriptors.
 *
 * @param files the list as it came, see {@link FilesJson}, and the wishes, see {@link WishesJson}
 * @param streams standard input, output and error, by their numbers
 * @param further descriptors that came with EXEC, whose numbers are among the wishes
 */
record Request(
    List<String> arguments, String files, SortedMap<Integer, Fd> streams, List<Fd> further)
    implements Closeable {
  private static final int STREAMS = 3;

  /**
   * Receives a request.
   *
   * @return null if the client closed the connection without a word
   * @throws ProtocolException for anything else than a complete request
   */
  static @Nullable Request receive(MessageChannel channel, Deadline deadline) throws IOException {
    SortedMap<Integer, Fd> streams = new TreeMap<>();
    List<Fd> further = new ArrayList<>();
    Message.Exec exec = null;
    try {
      while (streams.size() < STREAMS) {
        MessageChannel.Received received = channel.receive(deadline);
        if (received == null && streams.isEmpty()) {
          return null;
        } else if (received == null) {
          throw new ProtocolException("the connection ended inside a request");
        }
        try (received) {
          streams.put(number(received.message(), streams), firstFd(received));
          // Out of the list that closes what is left in it.
          received.fds().removeFirst();
          if (received.message() instanceof Message.Exec message) {
            exec = message;
            further.addAll(received.fds());
            received.fds().clear();
          }
        }
      }
      if (exec == null) {
        throw new ProtocolException("standard input without a program");
      }
      return new Request(exec.arguments(), exec.files(), streams, further);
    } catch (IOException e) {
      Fd.closeAll(streams.values());
      Fd.closeAll(further);
      throw e;
    }
  }

  private static int number(Message message, SortedMap<Integer, Fd> streams)
      throws ProtocolException {
    int number =
        switch (message) {
          case Message.Exec _ -> 0;
          case Message.PipeMessage(int pipe) when pipe == 1 || pipe == 2 -> pipe;
          case Message.PipeMessage(int pipe) ->
              throw new ProtocolException("a pipe for descriptor " + pipe);
          case Message.Handshake _,
              Message.Kill _,
              Message.PidMap _,
              Message.Signal _,
              Message.Resize _,
              Message.Echo _ ->
              throw new ProtocolException("another message inside a request");
        };
    if (streams.containsKey(number)) {
      throw new ProtocolException("descriptor " + number + " twice");
    }
    return number;
  }

  private static Fd firstFd(MessageChannel.Received received) throws ProtocolException {
    int count = received.fds().size();
    boolean mayHaveMore = received.message() instanceof Message.Exec;
    if (count == 0 || (count > 1 && !mayHaveMore)) {
      throw new ProtocolException(count + " descriptors instead of one");
    }
    return received.fds().getFirst();
  }

  /** The program's name as a text, for messages and the whitelist. */
  String program() {
    return ByteStrings.text(arguments.getFirst());
  }

  /** How much of a message it took. */
  int bytes() {
    int bytes = files.length();
    for (String argument : arguments) {
      bytes += argument.length() + 1;
    }
    return bytes;
  }

  Fd stdout() {
    return requireNonNull(streams.get(1));
  }

  Fd stderr() {
    return requireNonNull(streams.get(2));
  }

  /** Takes a stream out of the request, to be owned by the caller. */
  Fd take(int number) {
    return requireNonNull(streams.remove(number));
  }

  /** For a copy that is changed: what the program gets at which number so far. */
  SortedMap<Integer, Fd> descriptors() {
    return new TreeMap<>(streams);
  }

  @Override
  public void close() {
    Fd.closeAll(new ArrayList<>(streams.values()));
    Fd.closeAll(further);
  }
}
