package qtfs.rexec;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import qtfs.linux.Fd;
import qtfs.linux.Pipe;
import qtfs.linux.Spawn;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;

/** Calls of programs, client and server in this JVM. */
final class CallTest {
  @TempDir static Path dir;

  private final Harness harness;

  CallTest() throws Exception {
    Path plain = Files.writeString(dir.resolve("plain"), "text");
    harness =
        new Harness(
            dir,
            "/bin/sh",
            "sh",
            "/bin/cat",
            "/bin/echo",
            "/bin/true",
            "/no/such/program",
            "nosuchtool",
            plain.toString(),
            "/bin/né");
  }

  @AfterEach
  void tearDown() {
    harness.close();
    assertThat(harness.socket()).doesNotExist();
  }

  private Harness.Outcome sh(String script) throws Exception {
    return harness.call("/bin/sh", "-c", script);
  }

  @Test
  void copiesAllThreeStreamsAndTheCode() throws Exception {
    Harness.Outcome outcome =
        harness.call("in\n".getBytes(UTF_8), "/bin/sh", "-c", "cat; echo err >&2; exit 7");
    assertThat(outcome).isEqualTo(new Harness.Outcome(7, "in\n", "err\n", ""));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 44, 124, 125, 126, 127, 128, 255})
  void passesEveryCode(int code) throws Exception {
    assertThat(sh("exit " + code)).isEqualTo(new Harness.Outcome(code, "", "", ""));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 6, 9, 11, 13, 15})
  void passesEverySignal(int signal) throws Exception {
    assertThat(sh("kill -" + signal + " $$").code()).isEqualTo(128 + signal);
  }

  @Test
  void refusesWhatIsNotInTheWhitelist() throws Exception {
    Harness.Outcome outcome = harness.call("/bin/ls");
    assertThat(outcome.code()).isEqualTo(126);
    assertThat(outcome.stderr())
        .startsWith("rexec_server: /bin/ls: not in the whitelist (")
        .endsWith("\n");
    assertThat(outcome.complaint()).isEmpty();
    assertThat(harness.call("").code()).isEqualTo(126);
    assertThat(harness.call("cat").code()).isEqualTo(126);
  }

  @Test
  void tellsWhatIsNotThere() throws Exception {
    Harness.Outcome outcome = harness.call("/no/such/program");
    assertThat(outcome)
        .isEqualTo(
            new Harness.Outcome(
                127, "", "rexec_server: /no/such/program: No such file or directory\n", ""));
    assertThat(harness.call("nosuchtool").stderr())
        .isEqualTo("rexec_server: nosuchtool: No such file or directory\n");
    assertThat(harness.call("/bin/né").stderr()).contains("/bin/né: No such file");
  }

  @Test
  void tellsWhatIsNoProgram() throws Exception {
    Harness.Outcome outcome = harness.call(dir.resolve("plain").toString());
    assertThat(outcome.code()).isEqualTo(126);
    assertThat(outcome.stderr()).endsWith("plain: Permission denied\n");
  }

  @Test
  void findsABareNameInPath() throws Exception {
    assertThat(harness.call("sh", "-c", "echo $0 $1", "a", "b").text()).isEqualTo("a b\n");
  }

  @Test
  void keepsArgumentsByteForByte() throws Exception {
    assertThat(harness.call("/bin/echo", "é", "", "a b\n\\").text()).isEqualTo("é  a b\n\\\n");
  }

  @Test
  void losesNoLineOfThreeHundredThousand() throws Exception {
    Harness.Outcome outcome = sh("seq 300000; exit 3");
    assertThat(outcome.code()).isEqualTo(3);
    assertThat(outcome.output()).endsWith("\n299999\n300000\n");
    assertThat(outcome.output().chars().filter(c -> c == '\n').count()).isEqualTo(300_000);
  }

  @Test
  void carriesSixteenMegabytesThereAndBack() throws Exception {
    byte[] bytes = new byte[16 << 20];
    new Random(1).nextBytes(bytes);
    String sum = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    Harness.Outcome there = harness.call(bytes, "/bin/sh", "-c", "sha256sum");
    assertThat(there.text()).startsWith(sum);
    Harness.Outcome back = harness.call(bytes, "/bin/cat");
    assertThat(back.output()).hasSize(bytes.length);
    assertThat(
            HexFormat.of()
                .formatHex(
                    MessageDigest.getInstance("SHA-256")
                        .digest(back.output().getBytes(ISO_8859_1))))
        .isEqualTo(sum);
  }

  @Test
  void stopsReadingForAProgramThatDoesNot() throws Exception {
    byte[] bytes = new byte[1 << 20];
    assertThat(harness.call(bytes, "/bin/sh", "-c", "exec <&-; echo done").text())
        .isEqualTo("done\n");
  }

  @Test
  void getsAlongWithStreamsThatDoNotBlock() throws Exception {
    byte[] bytes = new byte[1 << 20];
    Harness.Outcome outcome = harness.callNonBlocking(bytes, "/bin/cat");
    assertThat(outcome.code()).isZero();
    assertThat(outcome.output()).hasSize(bytes.length);
  }

  @Test
  void refusesFilesThatCannotBe() throws Exception {
    List<InheritedFile> files = List.of(new InheritedFile(2000, "/etc/passwd", 0, 0));
    Harness.Outcome outcome = harness.call(new byte[0], files, "/bin/true");
    assertThat(outcome.code()).isEqualTo(126);
    assertThat(outcome.stderr())
        .isEqualTo("rexec_server: /bin/true: refused, list of files: Fd 2000 is out of range\n");
  }

  @Test
  void givesTheProgramAHarmlessEnvironment() throws Exception {
    Harness.Outcome outcome = sh("echo $GREETING; env");
    assertThat(outcome.text()).startsWith("hello\n").doesNotContain("LD_TRACE_LOADED_OBJECTS");
  }

  @Test
  void givesTheProgramItsDescriptorsAndNoOther() throws Exception {
    assertThat(sh("ls /proc/$$/fd").text()).isEqualTo("0\n1\n2\n");
  }

  @Test
  void givesTheProgramDefaultSignalsAndAGroupOfItsOwn() throws Exception {
    String none = ":\t0000000000000000\n";
    assertThat(sh("exec grep -h -e SigBlk -e SigIgn /proc/self/status").text())
        .isEqualTo("SigBlk" + none + "SigIgn" + none);
    // pid (comm) state ppid pgrp
    String[] numbers = sh("cut -d ' ' -f 1,5 /proc/$$/stat").text().strip().split(" ");
    assertThat(numbers[1]).isEqualTo(numbers[0]);
  }

  @Test
  void opensInheritedFilesAndTellsOfThoseItCannot() throws Exception {
    Path file = Files.writeString(dir.resolve("inherited"), "0123456789");
    List<InheritedFile> files =
        List.of(
            new InheritedFile(7, file.toString(), Fd.O_RDONLY, 6),
            new InheritedFile(9, "/no/such", Fd.O_RDONLY, 0));
    Harness.Outcome outcome =
        harness.call(new byte[0], files, "/bin/sh", "-c", "cat <&7; ls /proc/$$/fd");
    assertThat(outcome.text()).isEqualTo("67890\n1\n2\n7\n");
    assertThat(outcome.stderr())
        .isEqualTo("rexec_server: descriptor 9: open /no/such: No such file or directory\n");
  }

  @Test
  void writesInheritedFilesWhereTheyStand() throws Exception {
    Path file = Files.writeString(dir.resolve("log"), "one\n");
    List<InheritedFile> files =
        List.of(new InheritedFile(5, file.toString(), Fd.O_WRONLY | Fd.O_APPEND, 0));
    assertThat(harness.call(new byte[0], files, "/bin/sh", "-c", "echo two >&5").code()).isZero();
    assertThat(file).hasContent("one\ntwo\n");
  }

  @Test
  void isNotHeldUpByAGrandchildWithItsOutput() throws Exception {
    Path pidFile = dir.resolve("grandchild");
    long begin = System.nanoTime();
    Harness.Outcome outcome = sh("sleep 60 & echo $! > " + pidFile + "; echo out; exit 5");
    long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begin);
    long grandchild = Long.parseLong(Harness.awaitContent(pidFile));
    assertThat(Harness.isAlive(grandchild)).isTrue();
    assertThat(ProcessHandle.of(grandchild).map(ProcessHandle::destroyForcibly)).contains(true);
    assertThat(outcome.code()).isEqualTo(5);
    assertThat(outcome.text()).isEqualTo("out\n");
    assertThat(seconds).isBetween(2L, 15L);
  }

  @Test
  void waitsForAProgramThatHasClosedItsOutput() throws Exception {
    assertThat(sh("exec >&- 2>&-; sleep 1; exit 9").code()).isEqualTo(9);
  }

  @Test
  void runsFiftyAtOnce() throws Exception {
    List<CompletableFuture<Harness.Outcome>> calls = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      byte[] input = ("input " + i).getBytes(UTF_8);
      String script = "cat; exit " + i;
      calls.add(Harness.background(() -> harness.call(input, "/bin/sh", "-c", script)));
    }
    for (int i = 0; i < 50; i++) {
      assertThat(Harness.get(calls.get(i))).isEqualTo(new Harness.Outcome(i, "input " + i, "", ""));
    }
    Await.until("no child left", () -> harness.context.children().size() == 0);
    assertThat(harness.runDir.resolve("pids")).isEmptyDirectory();
    try (var files = Files.list(harness.runDir)) {
      assertThat(files.map(f -> f.getFileName().toString()))
          .containsExactlyInAnyOrder("pids", "programs", "rexec_uds.lock", "rexec_uds.sock");
    }
    Path programs = harness.runDir.resolve("programs");
    Await.until("no record left", () -> programs.toFile().list().length == 0);
  }

  @Test
  void survivesGarbage() throws Exception {
    assertThat(harness.call("/bin/true").code()).isZero();
    int open = Spawn.openNumbers().size();
    Random random = new Random(2);
    for (int i = 0; i < 50; i++) {
      byte[] bytes = new byte[random.nextInt(100)];
      random.nextBytes(bytes);
      try (Fd socket = UnixSocket.connect(harness.socket().toString())) {
        assertThat(Harness.writeAll(socket.duplicate(), bytes)).isTrue();
        UnixSocket.shutdownWrite(socket);
        assertThat(Harness.readAll(socket)).isEmpty();
      }
    }
    assertThat(harness.call("/bin/true").code()).isZero();
    Await.until("descriptors closed", () -> Spawn.openNumbers().size() <= open);
  }

  /** Says what a client would, up to the handshake, and then what it likes. */
  private int start(Fd connection, String script, Message handshake) throws IOException {
    try (Pipe in = Pipe.open();
        Pipe out = Pipe.open();
        MessageChannel channel = new MessageChannel(connection)) {
      channel.send(
          new Message.Exec(List.of("/bin/sh", "-c", script), FilesJson.NONE), List.of(in.read()));
      channel.send(new Message.PipeMessage(1), List.of(out.write()));
      channel.send(new Message.PipeMessage(2), List.of(out.write()));
      try (var received = Objects.requireNonNull(channel.receive(Deadline.after(Harness.LIMIT)))) {
        assertThat(received.message()).isInstanceOf(Message.PidMap.class);
        channel.send(handshake, List.of());
        return ((Message.PidMap) received.message()).pid();
      }
    }
  }

  @Test
  void runsNothingWhenCalledOff() throws Exception {
    Path witness = dir.resolve("witness");
    try (Fd connection = UnixSocket.connect(harness.socket().toString())) {
      int pid = start(connection, "echo ran > " + witness, Message.Handshake.GIVE_UP);
      assertThat(Harness.readAll(connection)).isEmpty();
      Await.until("the held child is gone", () -> !Harness.isAlive(pid));
    }
    assertThat(witness).doesNotExist();
  }

  @Test
  void killsTheWholeGroupWhenTheClientIsGone() throws Exception {
    Path pidFile = dir.resolve("inner");
    long inner;
    int pid;
    try (Fd connection = UnixSocket.connect(harness.socket().toString())) {
      pid = start(connection, "sleep 60 & echo $! > " + pidFile + "; wait", Message.Handshake.GO);
      inner = Long.parseLong(Harness.awaitContent(pidFile));
      assertThat(Harness.isAlive(pid)).isTrue();
    }
    Await.until("the program is gone", () -> !Harness.isAlive(pid));
    Await.until("its child is gone", () -> !Harness.isAlive(inner));
  }

  @Test
  void killsTheProgramOfAClientThatTalksOutOfTurn() throws Exception {
    try (Fd connection = UnixSocket.connect(harness.socket().toString())) {
      int pid = start(connection, "sleep 60", Message.Handshake.GO);
      Await.until("started", () -> Harness.isAlive(pid));
      assertThat(Harness.writeAll(connection.duplicate(), new byte[] {0})).isTrue();
      Await.until("the program is gone", () -> !Harness.isAlive(pid));
    }
  }

  @Test
  void leavesNoProgramWhenItEnds() throws Exception {
    try (Fd connection = UnixSocket.connect(harness.socket().toString())) {
      int pid = start(connection, "sleep 60", Message.Handshake.GO);
      Await.until("started", () -> Harness.isAlive(pid));
      harness.close();
      Await.until("the program is gone", () -> !Harness.isAlive(pid));
    }
  }
}
