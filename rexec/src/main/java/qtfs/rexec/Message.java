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

    /** It takes {@link Signal}. */
    static final int SIGNALS = 2;

    /** It has read the {@link Wishes}, and the program gets what it is to get of them. */
    static final int SURROUNDINGS = 4;

    /** The program is on the terminal that was wished for, and {@link Resize} is taken. */
    static final int TERMINAL = 8;

    /** The program has the further descriptors that came with {@link Exec}. */
    static final int DESCRIPTORS = 16;

    /** It answers {@link Echo}, and so stays until its client has gone. */
    static final int ECHOES = 32;

    /** It explains instead of running anything, as it was asked to: {@link ExplainWish}. */
    static final int EXPLAINS = 1 << 8;

    /** What every server of ours can. */
    static final int ALWAYS = TELLS_EVERY_END | SIGNALS | SURROUNDINGS | DESCRIPTORS | ECHOES;

    /** Whether the server has a capability. */
    boolean can(int capability) {
      return (capabilities & capability) != 0;
    }

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
   * @param end how, as far as the server tells: a C server does not
   */
  record Kill(int exitStatus, End end) implements Message {
    /** How a program ended, with its number on the wire. */
    enum End {
      EXITED(0),
      SIGNALED(1),
      TIMED_OUT(2),
      UNTOLD(-1);

      private final int number;

      End(int number) {
        this.number = number;
      }

      /** {@link #UNTOLD} for a number that is none. */
      static End of(int number) {
        for (End end : values()) {
          if (end.number == number) {
            return end;
          }
        }
        return UNTOLD;
      }
    }

    /** As a C server says it. */
    Kill(int exitStatus) {
      this(exitStatus, End.UNTOLD);
    }

    @Override
    public byte[] encode() {
      boolean told = end != End.UNTOLD;
      return MessageCodec.header(
          MessageCodec.KILL, told ? end.number : 0, 0, 0, exitStatus, told ? MessageCodec.OURS : 0);
    }
  }

  /**
   * A signal for the program's process group: the client's word, to a server that can {@link
   * PidMap#SIGNALS}.
   *
   * @param number one of {@link qtfs.linux.Signals.Name}
   */
  record Signal(int number) implements Message {
    @Override
    public byte[] encode() {
      return MessageCodec.header(MessageCodec.SIGNAL, 0, 0, 0, number, 0);
    }
  }

  /**
   * Says nothing, and comes back from a server that {@link PidMap#ECHOES}, once it has sent {@link
   * Kill}. A proxy that is gone lets output end too, wherever it was; but it lets nothing come
   * back.
   */
  record Echo() implements Message {
    @Override
    public byte[] encode() {
      return MessageCodec.header(MessageCodec.ECHO, 0, 0, 0, 0, 0);
    }
  }

  /** A new size of the user's terminal: the client's word, for a program that is on a terminal. */
  record Resize(int rows, int columns) implements Message {
    @Override
    public byte[] encode() {
      return MessageCodec.header(MessageCodec.RESIZE, rows, columns, 0, 0, 0);
    }
  }
}
