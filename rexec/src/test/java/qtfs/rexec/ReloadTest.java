package qtfs.rexec;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.linux.ByteStrings;
import qtfs.linux.Fd;
import qtfs.linux.Pipe;
import qtfs.linux.UnixSocket;

/** S11: the files are read again while 1000 requests are under way. */
final class ReloadTest {
  private static final int REQUESTS = 1000;
  private static final int THREADS = 4;
  private static final Duration LIMIT = Duration.ofMinutes(2);

  @TempDir Path dir;

  /** A rule for both arguments in one file, and a configuration that goes with it. */
  private static void write(Policies files, String argument, String variable) throws IOException {
    files
        .config("[Accept]\nEnvironment=" + variable + "\n")
        .rules("[r]\nProgram=/bin/sleep\nArguments=" + argument + "\n");
  }

  /** The server's word to a request that is not gone on with, and the request, still open. */
  private record Asked(Fd connection, @Nullable Message answer) {}

  private Asked ask(String argument) throws IOException {
    Fd connection = UnixSocket.connect(dir.resolve("rexec/rexec_uds.sock").toString());
    try (MessageChannel channel = new MessageChannel(connection);
        Pipe pipe = Pipe.open()) {
      List<String> argv = List.of("/bin/sleep", argument);
      channel.send(new Message.Exec(argv, "{\"Files\":[]}"), List.of(pipe.read()));
      channel.send(new Message.PipeMessage(1), List.of(pipe.write()));
      channel.send(new Message.PipeMessage(2), List.of(pipe.write()));
      try (MessageChannel.Received received = channel.receive(Deadline.after(LIMIT))) {
        return new Asked(connection, received == null ? null : received.message());
      }
    }
  }

  @Test
  void eachDecisionIsOfTheOldFilesOrOfTheNew() throws Exception {
    Policies files = new Policies(dir).whitelist("/bin/true");
    write(files, "1000", "A");
    CurrentPolicy policy = CurrentPolicy.load(files.files());
    ServerContext context =
        new ServerContext(policy, dir.resolve("rexec"), ByteStrings.split("/proc/self/environ"));
    List<Asked> all = new ArrayList<>();
    AtomicBoolean over = new AtomicBoolean();
    try (Server _ = Server.start(dir.resolve("rexec"), context, REQUESTS + THREADS)) {
      CompletableFuture<Boolean> reloading =
          Harness.background(
              () -> {
                for (int i = 0; !over.get(); i++) {
                  write(files, i % 2 == 0 ? "2000" : "1000", "B");
                  assertThat(policy.reload()).isTrue();
                }
                return true;
              });
      for (List<Asked> some : together(() -> askFor(REQUESTS / THREADS))) {
        all.addAll(some);
      }
      over.set(true);
      assertThat(Harness.get(reloading)).isTrue();
      assertThat(all).hasSize(REQUESTS);
      long allowed = all.stream().filter(asked -> asked.answer() != null).count();
      // Half of them ask for what the one policy allows, half for the other's.
      assertThat(allowed).isBetween(1L, REQUESTS - 1L);
      assertThat(context.children().size()).isEqualTo((int) allowed);
      aBrokenFileChangesNothing(files, policy);
    } finally {
      all.forEach(asked -> asked.connection().close());
    }
  }

  private void aBrokenFileChangesNothing(Policies files, CurrentPolicy policy) throws IOException {
    write(files, "1000", "A");
    assertThat(policy.reload()).isTrue();
    files.rules("[r]\nProgram=/bin/sleep\nArguments=...\nRequster=1\n");
    assertThat(policy.reload()).isFalse();
    try (Fd yes = ask("1000").connection()) {
      assertThat(yes.isOpen()).isTrue();
    }
    Asked no = ask("2000");
    no.connection().close();
    assertThat(no.answer()).isNull();
  }

  private List<Asked> askFor(int count) throws IOException {
    List<Asked> asked = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      asked.add(ask(i % 2 == 0 ? "1000" : "2000"));
    }
    return asked;
  }

  private static <T> List<T> together(Callable<T> task) throws Exception {
    List<CompletableFuture<T>> futures = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      futures.add(Harness.background(task));
    }
    List<T> results = new ArrayList<>();
    for (CompletableFuture<T> future : futures) {
      results.add(future.get(LIMIT.toSeconds(), TimeUnit.SECONDS));
    }
    return results;
  }
}
