package qtfs.dist;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import qtfs.linux.ByteStrings;
import qtfs.linux.ChildProcess;
import qtfs.linux.ExitStatus;
import qtfs.linux.Fd;
import qtfs.linux.Pipe;
import qtfs.linux.Spawn;
import qtfs.linux.UnixSocket;

/**
 * Calls of rexec with standard streams of every kind, made by a process on the client's host: the
 * program itself, not through a shell, several at once. Arguments: the path of rexec, and a
 * directory to work in. Prints a line for each call, its name, a tab, and {@value #RIGHT} or what
 * was wrong.
 */
final class StreamCalls {
  static final String RIGHT = "right";

  /** As many as the ways to end are, so that they meet with streams of every kind. */
  static final List<String> ENDINGS =
      List.of(
          "exit 0",
          "exit 1",
          "exit 2",
          "exit 44",
          "exit 124",
          "exit 125",
          "exit 126",
          "exit 127",
          "exit 128",
          "exit 255",
          "kill -1 $$",
          "kill -2 $$",
          "kill -6 $$",
          "kill -9 $$",
          "kill -11 $$",
          "kill -13 $$",
          "kill -15 $$");

  private static final String ERRORS = "errors\n";
  private static final int AT_ONCE = 6;
  private static final int SIGPIPE_CODE = 128 + 13;

  private final String rexec;
  private final Path directory;
  private final List<String> environment;
  private final AtomicInteger gates = new AtomicInteger();

  private StreamCalls(String rexec, Path directory) throws IOException {
    this.rexec = rexec;
    this.directory = directory;
    this.environment = ByteStrings.split("/proc/self/environ");
  }

  /** The three streams of a call. */
  record Combination(StreamKind stdin, StreamKind stdout, StreamKind stderr) {
    static List<Combination> all() {
      List<Combination> all = new ArrayList<>();
      for (StreamKind stdin : StreamKind.values()) {
        for (StreamKind stdout : StreamKind.values()) {
          for (StreamKind stderr : StreamKind.values()) {
            all.add(new Combination(stdin, stdout, stderr));
          }
        }
      }
      return all;
    }

    @Override
    public String toString() {
      return stdin + " " + stdout + " " + stderr;
    }
  }

  private interface Call {
    String verdict() throws Exception;
  }

  public static void main(String[] args) throws Exception {
    StreamCalls calls = new StreamCalls(args[0], Path.of(args[1]));
    ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE);
    List<Future<String>> lines = new ArrayList<>();
    for (Combination combination : Combination.all()) {
      String ending = ENDINGS.get(lines.size() % ENDINGS.size());
      lines.add(submit(threads, combination.toString(), () -> calls.call(combination, ending)));
    }
    for (StreamKind kind : List.of(StreamKind.PIPE, StreamKind.SOCKET, StreamKind.TERMINAL)) {
      lines.add(submit(threads, "closed early: " + kind, () -> calls.closeEarly(kind)));
    }
    lines.add(submit(threads, "further descriptors", calls::furtherDescriptors));
    for (Future<String> line : lines) {
      System.out.println(line.get());
    }
    threads.shutdown();
  }

  private static Future<String> submit(ExecutorService threads, String name, Call call) {
    return threads.submit(
        () -> {
          try {
            return name + "\t" + call.verdict();
          } catch (Exception e) {
            return name + "\t" + e;
          }
        });
  }

  /** A program that copies its input to its output, says something and ends. */
  private String call(Combination streams, String ending) throws Exception {
    try (StreamKind.Stream in = streams.stdin().input(directory);
        StreamKind.Stream out = streams.stdout().output(directory);
        StreamKind.Stream err = streams.stderr().output(directory)) {
      SortedMap<Integer, Fd> descriptors = new TreeMap<>();
      put(descriptors, 0, in);
      put(descriptors, 1, out);
      put(descriptors, 2, err);
      String script = "cat; echo errors >&2; ulimit -c 0; " + ending;
      int code;
      try (ChildProcess child = start(descriptors, "/bin/sh", "-c", script)) {
        in.letGo();
        out.letGo();
        err.letGo();
        code = code(child);
      }
      List<String> wrong = new ArrayList<>();
      compare(wrong, "code", Integer.toString(expected(ending)), Integer.toString(code));
      if (streams.stdout().keeps() && !Arrays.equals(in.await(), out.await())) {
        wrong.add(in.await().length + " bytes of output expected, " + out.await().length + " came");
      }
      if (streams.stderr().keeps()) {
        compare(wrong, "errors", ERRORS, new String(err.await(), UTF_8));
      }
      return verdict(wrong);
    }
  }

  private static void put(
      SortedMap<Integer, Fd> descriptors, int number, StreamKind.Stream stream) {
    @Nullable Fd fd = stream.programs();
    if (fd != null) {
      descriptors.put(number, fd);
    }
  }

  private static int expected(String ending) {
    int number = Integer.parseInt(ending.replaceAll("[^0-9]", ""));
    return ending.startsWith("kill") ? 128 + number : number;
  }

  private static void compare(List<String> wrong, String what, String expected, String actual) {
    if (!expected.equals(actual)) {
      wrong.add(what + " expected " + expected.strip() + ", is " + actual.strip());
    }
  }

  private static String verdict(List<String> wrong) {
    return wrong.isEmpty() ? RIGHT : String.join("; ", wrong).replace('\n', '|');
  }

  /** Somebody takes a little of an endless output, and goes. */
  private String closeEarly(StreamKind kind) throws Exception {
    try (StreamKind.Stream in = StreamKind.NULL.input(directory);
        StreamKind.Stream err = StreamKind.FILE.output(directory);
        Peer out = Peer.of(kind)) {
      SortedMap<Integer, Fd> descriptors = new TreeMap<>();
      put(descriptors, 0, in);
      put(descriptors, 2, err);
      descriptors.put(1, out.programs());
      try (ChildProcess child = start(descriptors, "/bin/sh", "-c", "exec yes")) {
        out.programs().close();
        out.readSome();
        out.ours().close();
        List<String> wrong = new ArrayList<>();
        compare(wrong, "code", Integer.toString(SIGPIPE_CODE), Integer.toString(code(child)));
        return verdict(wrong);
      }
    }
  }

  /** The other end of an output that nobody reads to its end. */
  private record Peer(Fd programs, Fd ours) implements AutoCloseable {
    static Peer of(StreamKind kind) throws IOException {
      return switch (kind) {
        case PIPE -> {
          Pipe pipe = Pipe.open();
          yield new Peer(pipe.write(), pipe.read());
        }
        case SOCKET -> {
          UnixSocket.Pair pair = UnixSocket.pair();
          yield new Peer(pair.first(), pair.second());
        }
        case TERMINAL -> {
          qtfs.linux.Pty pty = qtfs.linux.Pty.open(new qtfs.linux.Terminal.Size(24, 80));
          yield new Peer(Fd.open(pty.path(), Fd.O_RDWR | Fd.O_NOCTTY, 0), pty.master());
        }
        case FILE, NULL, CLOSED -> throw new IllegalArgumentException(kind + " has no other end");
      };
    }

    void readSome() {
      qtfs.linux.Poll.readable(java.time.Duration.ofSeconds(100), ours);
      try (Arena arena = Arena.ofConfined()) {
        long ignored = ours.read(arena.allocate(100), 100);
      }
    }

    @Override
    public void close() {
      programs.close();
      ours.close();
    }
  }

  /** Two pipes and a socket beside the standard streams. */
  private String furtherDescriptors() throws Exception {
    try (StreamKind.Stream nothing = StreamKind.NULL.input(directory);
        StreamKind.Stream err = StreamKind.FILE.output(directory);
        StreamKind.Stream in = StreamKind.PIPE.input(directory);
        StreamKind.Stream out = StreamKind.PIPE.output(directory);
        UnixSocket.Pair socket = UnixSocket.pair()) {
      SortedMap<Integer, Fd> descriptors = new TreeMap<>();
      put(descriptors, 0, nothing);
      put(descriptors, 1, nothing);
      put(descriptors, 2, err);
      put(descriptors, 7, in);
      put(descriptors, 8, out);
      descriptors.put(9, socket.first());
      String script = "cat <&7 >&8; exec 8>&-; read -r line <&9; echo \"heard $line\" >&9; exit 5";
      String[] command = {
        "--fd", "7", "--fd", "8", "--fd", "9", "--wait=eof", "/bin/sh", "-c", script
      };
      try (ChildProcess child = start(descriptors, command)) {
        List.of(nothing, err, in, out).forEach(StreamKind.Stream::letGo);
        socket.first().close();
        List<String> wrong = new ArrayList<>();
        say(socket.second(), "hello\n");
        String answer = hear(socket.second());
        int code = code(child);
        compare(wrong, "code", "5", Integer.toString(code));
        compare(wrong, "errors", "", new String(err.await(), UTF_8));
        compare(wrong, "answer", "heard hello\n", answer);
        if (!Arrays.equals(in.await(), out.await())) {
          wrong.add(out.await().length + " bytes came through the pipes");
        }
        return verdict(wrong);
      }
    }
  }

  private static void say(Fd to, String text) {
    try (Arena arena = Arena.ofConfined()) {
      byte[] bytes = text.getBytes(UTF_8);
      long ignored = to.write(arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes), bytes.length);
    }
  }

  /** Up to the end, which comes when the program has ended. */
  private static String hear(Fd from) {
    StringBuilder text = new StringBuilder();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(100);
      for (long n; (n = from.read(buffer, 100)) > 0; ) {
        text.append(new String(buffer.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE), UTF_8));
      }
    }
    return text.toString();
  }

  private ChildProcess start(SortedMap<Integer, Fd> descriptors, String... command)
      throws IOException {
    List<String> arguments = new ArrayList<>();
    for (String word : command) {
      arguments.add(ByteStrings.of(word));
    }
    arguments.addFirst(ByteStrings.of(rexec));
    Path gate = directory.resolve("gate" + gates.incrementAndGet());
    Spawn.Held held =
        new Spawn(arguments.getFirst(), arguments, environment, descriptors).startHeld(gate);
    if (held.release().isPresent()) {
      throw new IOException("cannot execute " + rexec);
    }
    return held.child();
  }

  private static int code(ChildProcess child) throws IOException {
    return switch (child.reap()) {
      case ExitStatus.Exited(int code) -> code;
      case ExitStatus.Killed(int signal) -> -signal;
    };
  }

  /** The lines of a run, for the test. */
  static List<String> names() {
    List<String> names = new ArrayList<>();
    Combination.all().forEach(combination -> names.add(combination.toString()));
    names.addAll(List.of("closed early: PIPE", "closed early: SOCKET", "closed early: TERMINAL"));
    names.add("further descriptors");
    return names;
  }
}
