package qtfs.engine;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import qtfs.qtcfg.Role;
import qtfs.testing.CCompiler;
import qtfs.whitelist.Group;

/**
 * The server's kernel module as src/test/c/simserver.c and, for the lists, qtcfg's simkernel.c play
 * it.
 *
 * @param directory of the module's state, knobs and log, of the test's own
 */
record SimulatedServer(Path directory) {
  private static final Path LISTS = Path.of("../qtcfg/src/test/c/simkernel.c");
  private static final Path THREADS = Path.of("../engine/src/test/c/simserver.c");
  private static final int ENTRIES = 64;
  private static final int PATH_SIZE = 4096;

  /** One request, as the module has answered it. */
  record Request(long micros, String thread, String name, long answer) {
    /** From {@code micros thread name = answer}. */
    static Request of(String line) {
      String[] words = line.split(" ", 3);
      int equals = words[2].lastIndexOf(" = ");
      return new Request(
          Long.parseLong(words[0]),
          words[1],
          words[2].substring(0, equals),
          Long.parseLong(words[2].substring(equals + 3)));
    }

    boolean is(String prefix) {
      return name.startsWith(prefix);
    }
  }

  /** A module that has just been loaded. */
  static SimulatedServer load(Path directory) throws IOException {
    Files.writeString(directory.resolve("server"), "");
    return new SimulatedServer(directory);
  }

  /** The value of LD_PRELOAD; compiles what is missing, and skips the test where nothing can. */
  static String preload() throws IOException {
    return CCompiler.library(THREADS) + ":" + CCompiler.library(LISTS);
  }

  /** Sets one of the rules, see simserver.c. */
  void set(String knob, int value) throws IOException {
    Files.writeString(directory.resolve("server." + knob), Integer.toString(value));
  }

  /** Makes it one that has just been loaded again. */
  void reset() throws IOException {
    Files.writeString(directory.resolve("server"), "");
  }

  /** Lets the n-th request of a kind fail, counted from now on. */
  void fail(String request, int n, int errno) throws IOException {
    Files.writeString(directory.resolve("server.fault"), request + " " + n + " " + errno + "\n");
  }

  /** Whether that request has been made. */
  boolean hasFailed() throws IOException {
    return Files.readString(directory.resolve("server.fault")).contains(" 0 ");
  }

  /** What has been asked of it so far. */
  List<Request> log() throws IOException {
    Path file = directory.resolve("server.log");
    if (Files.notExists(file)) {
      return List.of();
    }
    String text = Files.readString(file, UTF_8);
    return text.substring(0, text.lastIndexOf('\n') + 1).lines().map(Request::of).toList();
  }

  List<Request> log(String prefix) throws IOException {
    return log().stream().filter(request -> request.is(prefix)).toList();
  }

  /** The entries of a list: the layout is simkernel.c's {@code struct state}. */
  List<String> list(Group group) throws IOException {
    ByteBuffer state =
        ByteBuffer.wrap(Files.readAllBytes(directory.resolve("server")))
            .order(ByteOrder.LITTLE_ENDIAN);
    int groups = Role.SERVER.groups().size();
    int type = Role.SERVER.groups().indexOf(group);
    List<String> entries = new ArrayList<>();
    if (!state.hasRemaining()) {
      return entries; // of nothing has it been asked yet
    }
    for (int i = 0; i < state.getInt(4 + 4 * type); i++) {
      byte[] path = new byte[PATH_SIZE];
      state.get(4 + 4 * groups + (type * ENTRIES + i) * PATH_SIZE, path);
      String text = new String(path, UTF_8);
      entries.add(text.substring(0, text.indexOf('\0')));
    }
    return entries;
  }
}
