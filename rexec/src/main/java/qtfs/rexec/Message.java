package qtfs.rexec;

import java.util.List;

/**
 * A message between rexec and rexec_server. Every instance can be sent; what comes from a wire is
 * read by {@link MessageCodec#decode}.
 *
 * <p>Each knows its own bytes, rather than a codec that switches over the types: such a switch is
 * linked at run time, and the client's start-up pays for it.
 */
sealed interface Message {
  /** Header and data. */
  byte[] encode();

  /**
   * What to run. Carries the descriptor that becomes the program's standard input.
   *
   * @param arguments from {@code argv[0]} on, at least one; byte strings, a byte in each char,
   *     because arguments need not be text
   * @param files the inherited files, see {@link FilesJson}, as a byte string
   */
  record Exec(List<String> arguments, String files) implements Message {
    public Exec {
      arguments = List.copyOf(arguments);
      if (arguments.isEmpty()) {
        throw new IllegalArgumentException("no program");
      }
    }

    @Override
    public byte[] encode() {
      return MessageCodec.encode(this);
    }
  }

  /**
   * Carries the descriptor of the program's standard output or error.
   *
   * @param number what the descriptor becomes, 1 or 2
   */
  record PipeMessage(int number) implements Message {
    @Override
    public byte[] encode() {
      return MessageCodec.header(MessageCodec.PIPE, 0, number, 0, 0, 0);
    }
  }

  /**
   * The program is about to run: the server's word.
   *
   * @param pid on the server's host
   * @param capabilities of a server of ours, 0 of a C server
   */
  record PidMap(int pid, int capabilities) implements Message {
    /** The server sends {@link Kill} however soon the program ends, which a C server does not. */
    static final int TELLS_EVERY_END = 1;

    /** The server explains instead of running anything, as it was asked to: {@link ExplainWish}. */
    static final int EXPLAINS = 1 << 8;

    @Override
    public byte[] encode() {
      int mark = capabilities == 0 ? 0 : MessageCodec.OURS;
      return MessageCodec.header(MessageCodec.PIDMAP, capabilities, 0, 0, mark, pid);
    }
  }

  /**
   * The program may run, or may not: the client's word.
   *
   * @param answer {@code '1'} for yes
   */
  record Handshake(byte answer) implements Message {
    static final Handshake GO = new Handshake((byte) '1');
    static final Handshake GIVE_UP = new Handshake((byte) '0');

    boolean go() {
      return answer == GO.answer;
    }

    @Override
    public byte[] encode() {
      return MessageCodec.encode(this);
    }
  }

  /**
   * The program has ended.
   *
   * @param exitStatus its code, or 128 + signal
   */
  record Kill(int exitStatus) implements Message {
    @Override
    public byte[] encode() {
      return MessageCodec.header(MessageCodec.KILL, 0, 0, 0, exitStatus, 0);
    }
  }
}
