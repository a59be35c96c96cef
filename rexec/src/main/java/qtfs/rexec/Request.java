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
 * each. Owns the three descriptors.
 *
 * @param files the list as it came, see {@link FilesJson}
 * @param streams standard input, output and error, by their numbers
 */
record Request(List<String> arguments, String files, SortedMap<Integer, Fd> streams)
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
          streams.put(number(received.message(), streams), onlyFd(received));
          // Out of the list that closes what is left in it.
          received.fds().clear();
          if (received.message() instanceof Message.Exec message) {
            exec = message;
          }
        }
      }
      return complete(exec, streams);
    } catch (IOException e) {
      Fd.closeAll(streams.values());
      throw e;
    }
  }

  private static Request complete(Message.@Nullable Exec exec, SortedMap<Integer, Fd> streams)
      throws ProtocolException {
    if (exec == null) {
      throw new ProtocolException("standard input without a program");
    }
    return new Request(exec.arguments(), exec.files(), streams);
  }

  private static int number(Message message, SortedMap<Integer, Fd> streams)
      throws ProtocolException {
    int number =
        switch (message) {
          case Message.Exec _ -> 0;
          case Message.PipeMessage(int pipe) when pipe == 1 || pipe == 2 -> pipe;
          case Message.PipeMessage(int pipe) ->
              throw new ProtocolException("a pipe for descriptor " + pipe);
          case Message.Handshake _, Message.Kill _, Message.PidMap _ ->
              throw new ProtocolException("another message inside a request");
        };
    if (streams.containsKey(number)) {
      throw new ProtocolException("descriptor " + number + " twice");
    }
    return number;
  }

  private static Fd onlyFd(MessageChannel.Received received) throws ProtocolException {
    if (received.fds().size() != 1) {
      throw new ProtocolException(received.fds().size() + " descriptors instead of one");
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

  /** For a copy that is changed: what the program gets at which number so far. */
  SortedMap<Integer, Fd> descriptors() {
    return new TreeMap<>(streams);
  }

  @Override
  public void close() {
    Fd.closeAll(new ArrayList<>(streams.values()));
  }
}
