package qtfs.rexec;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Fd;
import qtfs.linux.Poll;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;
import qtfs.testing.OpenDescriptors;
import qtfs.udsproxy.connector.RemoteConnector;

/**
 * Fuzz target: a call of rexec, whose server answers anything and then ends, has an exit code from
 * 0 to 255 or an {@link RexecException} with one that is not 0, and leaves no descriptor and no pid
 * file. {@link FuzzedPieces} tells what an input is.
 */
public final class ClientFuzz {
  private static final ThreadLocal<ClientFuzz> CLIENT = ThreadLocal.withInitial(ClientFuzz::new);
  private static final int PID = 1_999_999_999;

  /** One of so many lengths is called as rexec itself does, and that takes ten times as long. */
  private static final int WITH_THREADS = 16;

  private final Path directory;
  private final File pidFile;
  private final UnixListener listener;
  private final Fd nothing;

  private ClientFuzz() {
    try {
      directory = Files.createTempDirectory("fuzz");
      pidFile = new File(directory.toFile(), "pids/" + PID);
      listener = UnixListener.bind(directory.resolve("rexec_uds.sock"), 8);
      nothing = Fd.open(Path.of("/dev/null"), Fd.O_RDWR);
      for (String name : List.of("", "pids", "rexec_uds.sock")) {
        directory.resolve(name).toFile().deleteOnExit();
      }
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Called by the fuzzer, and for each kept input by {@link FuzzCorpusTest}. */
  public static void fuzzerTestOneInput(byte[] input) throws Exception {
    ClientFuzz client = CLIENT.get();
    OpenDescriptors before = OpenDescriptors.now();
    PrintStream stderr = System.err;
    System.setErr(new PrintStream(new ByteArrayOutputStream(), false, StandardCharsets.UTF_8));
    try {
      client.call(new FuzzedPieces(input), input.length % WITH_THREADS == 0);
    } finally {
      System.setErr(stderr);
    }
    before.awaitNoMore();
    if (client.pidFile.exists()) {
      throw new AssertionError("the pid file is left");
    }
  }

  private void call(FuzzedPieces pieces, boolean threads) throws Exception {
    OwnProcess process =
        new OwnProcess(PID, null, nothing, nothing, List.of(), new ClientSignals());
    if (threads) {
      CompletableFuture<Boolean> answered = Harness.background(() -> answer(pieces));
      call(process);
      Harness.get(answered);
    } else {
      try (FuzzedServer server = new FuzzedServer(process, listener, pieces, nothing)) {
        call(server);
      }
    }
  }

  private void call(Caller caller) {
    Client.Settings settings =
        new Client.Settings(
            new RemoteConnector(directory.toString(), false),
            directory.toString(),
            caller,
            null,
            Manner.USUAL,
            true,
            false);
    try {
      Client.Ending ending = new Client(settings, List.of("/bin/true")).run();
      if (ending.code() < 0 || ending.code() > 255) {
        throw new AssertionError(ending);
      }
    } catch (RexecException e) {
      if (e.exitCode() <= 0 || e.exitCode() > 255) {
        throw new AssertionError(e);
      }
    }
  }

  /** Plays the server on a thread of its own. */
  private boolean answer(FuzzedPieces pieces) throws IOException {
    Await.until("a client", () -> Poll.readable(Harness.LIMIT, listener.socket())[0] != 0);
    int accepted = listener.accept(true);
    try (Fd connection = Fd.own(accepted);
        MessageChannel channel = new MessageChannel(connection)) {
      pieces.send(connection, nothing);
      UnixSocket.shutdownWrite(connection);
      MessageChannel.@Nullable Received next;
      while ((next = channel.receive(Deadline.after(Harness.LIMIT))) != null) {
        Fd.closeAll(next.fds());
      }
    } catch (IOException e) {
      return false; // reset, with what it has not read
    }
    return true;
  }
}
