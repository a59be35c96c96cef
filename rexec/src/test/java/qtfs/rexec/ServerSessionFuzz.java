package qtfs.rexec;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import qtfs.linux.Fd;
import qtfs.linux.Pipe;
import qtfs.linux.UnixSocket;
import qtfs.testing.OpenDescriptors;

/**
 * Fuzz target: a session of rexec_server, whose client sends anything and then ends, answers or
 * complains in its log, and leaves no descriptor, no process and nothing running. It may run {@code
 * /bin/true}, and does. {@link FuzzedPieces} tells what an input is.
 */
public final class ServerSessionFuzz {
  /** What a session says of an exception that it has not expected. */
  private static final Pattern ERROR = Pattern.compile("^\\S+ ERROR ", Pattern.MULTILINE);

  private static final ThreadLocal<ServerContext> CONTEXT =
      ThreadLocal.withInitial(ServerSessionFuzz::context);

  private ServerSessionFuzz() {}

  /** Called by the fuzzer, and for each kept input by {@link FuzzCorpusTest}. */
  public static void fuzzerTestOneInput(byte[] input) throws IOException {
    ServerContext context = CONTEXT.get();
    PrintStream stderr = System.err;
    ByteArrayOutputStream log = new ByteArrayOutputStream();
    OpenDescriptors before = OpenDescriptors.now();
    System.setErr(new PrintStream(log, false, StandardCharsets.UTF_8));
    try {
      run(context, new FuzzedPieces(input));
    } finally {
      System.setErr(stderr);
    }
    before.awaitNoMore();
    String text = log.toString(StandardCharsets.UTF_8);
    if (context.children().size() > 0
        || context.running().counts().running() > 0
        || (text.contains(" ERROR ") && ERROR.matcher(text).find())
        || FuzzedPieces.hasControl(text)) {
      throw new AssertionError(context.running().counts() + "\n" + text);
    }
  }

  private static void run(ServerContext context, FuzzedPieces pieces) throws IOException {
    UnixSocket.Pair pair = UnixSocket.pair();
    try (Fd client = pair.first();
        Pipe pipe = Pipe.open()) {
      pieces.send(client, pipe.write());
      UnixSocket.shutdownWrite(client);
      new Session(context, pair.second(), () -> {}).run();
    }
  }

  private static ServerContext context() {
    try {
      Path directory = Files.createTempDirectory("fuzz");
      directory.toFile().deleteOnExit();
      Path whitelist = Harness.whitelist(directory, "/bin/true", "true");
      ServerContext context =
          new ServerContext(
              CurrentPolicy.load(PolicyFiles.beside(whitelist)),
              directory,
              List.of("PATH=/usr/bin:/bin", "LANG=C"));
      context.running().adopt();
      whitelist.toFile().deleteOnExit();
      directory.resolve("programs").toFile().deleteOnExit();
      return context;
    } catch (IOException | PolicyFiles.BrokenException e) {
      throw new IllegalStateException(e);
    }
  }
}
