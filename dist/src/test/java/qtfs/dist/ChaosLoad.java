package qtfs.dist;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import qtfs.dist.TwoHosts.Host;
import qtfs.linux.Poll;
import qtfs.testing.Await;

/**
 * Programs on A that use what B has, again and again, and judge what they get: right and whole, or
 * lost and told so. Anything else is a violation.
 */
final class ChaosLoad implements AutoCloseable {
  /** What a program does. */
  enum Kind {
    BULK,
    PING,
    DESCRIPTORS,
    COMMAND,
    KILLED_COMMAND
  }

  private static final String SOCKET = "/run/chaos.sock";

  /** What the exposed one leads to, so that neither's stand-in is the other's. */
  private static final String PINGED = "/run/pinged.sock";

  static final String EXPOSED = "/run/exposed.sock";
  static final List<String> EXPOSE = List.of("--expose=" + PINGED + "=" + EXPOSED);
  private static final int MOST_BYTES = 2_000_000;
  private static final int MOST_LINES = 20_000;
  private static final Duration LONGEST_COMMAND = Duration.ofSeconds(90);
  private static final long STALL_NANOS = TimeUnit.SECONDS.toNanos(2);
  private static final int LINE_OF_STDERR = 1;

  /** $0 lines, which each name the call, then the input, then the exit code $2. */
  private static final String PROGRAM =
      "i=0; while [ $i -lt $0 ]; do echo \"$1 line $i\"; i=$((i + 1)); done; cat; exit $2";

  private static final String CALL =
      "REXEC_AGENT=%s exec \"$REXEC\" /bin/sh -c '%s' \"$@\" <\"$0\"";

  /** Its reader is late, so that most of the output is still on its way when the program ends. */
  private static final String LATE_CALL =
      "REXEC_AGENT=%s \"$REXEC\" /bin/sh -c '%s' \"$@\" <\"$0\" | { sleep 1; cat; }";

  private final TwoHosts hosts;
  private final ScriptedSession scripted;
  private final ChaosServer server;
  private final ChaosServer pinged;
  private final Path input;
  private final Queue<String> violations = new ConcurrentLinkedQueue<>();
  private final Map<Kind, AtomicInteger> right = new EnumMap<>(Kind.class);
  private final Map<Kind, AtomicInteger> lost = new EnumMap<>(Kind.class);
  private final List<Thread> programs = new ArrayList<>();
  private volatile boolean over;

  ChaosLoad(TwoHosts hosts) throws IOException {
    this.hosts = hosts;
    this.scripted = new ScriptedSession(hosts);
    this.server = new ChaosServer(hosts.file(Host.B, SOCKET), this::violation);
    this.pinged = new ChaosServer(hosts.file(Host.B, PINGED), this::violation);
    this.input = Files.writeString(hosts.shared().resolve("input"), "the input\n");
    for (Kind kind : Kind.values()) {
      right.put(kind, new AtomicInteger());
      lost.put(kind, new AtomicInteger());
    }
  }

  /** Where strangers knock too. */
  static String socket() {
    return SOCKET;
  }

  void violation(Throwable what) {
    violations.add(what + (what.getCause() == null ? "" : ", " + what.getCause()));
  }

  Queue<String> violations() {
    return violations;
  }

  int right(Kind kind) {
    return Objects.requireNonNull(right.get(kind)).get();
  }

  String counts() {
    return "right " + right + ", lost " + lost;
  }

  /** Starts so many programs of a kind, that go on until {@link #finish}. */
  void start(Kind kind, int programs, Random seeds) {
    for (int i = 0; i < programs; i++) {
      Random random = new Random(seeds.nextLong());
      this.programs.add(Thread.ofPlatform().daemon().start(() -> goOn(kind, random)));
    }
  }

  private void goOn(Kind kind, Random random) {
    while (!over) {
      if (!once(kind, random)) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
      }
    }
  }

  /** Does it once; whether all was right. */
  boolean once(Kind kind, Random random) {
    try {
      boolean whole =
          switch (kind) {
            case BULK -> bulk(random);
            case PING -> ping(random);
            case DESCRIPTORS -> descriptors();
            case COMMAND -> command(random);
            case KILLED_COMMAND -> killedCommand(random);
          };
      Objects.requireNonNull((whole ? right : lost).get(kind)).incrementAndGet();
      return whole;
    } catch (AssertionError | Exception e) {
      violation(new AssertionError(kind + ": " + e.getMessage(), e));
      return false;
    }
  }

  /** Waits for the programs to do what they are at; that is bounded. */
  void finish() throws InterruptedException {
    over = true;
    for (Thread program : programs) {
      if (!program.join(LONGEST_COMMAND.plus(ChaosStream.LIMIT))) {
        violation(new AssertionError("a program hangs: " + List.of(program.getStackTrace())));
      }
    }
  }

  private boolean bulk(Random random) throws InterruptedException {
    long seed = random.nextInt();
    long up = random.nextInt(MOST_BYTES);
    long down = random.nextInt(MOST_BYTES);
    boolean stalls = random.nextInt(8) == 0;
    try {
      request();
      try (ChaosStream stream =
          ChaosStream.connect(hosts.file(Host.A, SOCKET + ".proxy").toString())) {
        return exchange(stream, seed, up, down, stalls);
      }
    } catch (IOException told) {
      return false;
    }
  }

  private void request() throws IOException {
    String requests = hosts.file(Host.A, "/run/qtfs/remote_uds.sock").toString();
    try (PlainSocket asking = PlainSocket.ask(requests, SOCKET)) {
      if (Poll.readable(ChaosStream.LIMIT, asking.fd())[0] == 0) {
        throw new AssertionError("a request is not answered");
      }
      asking.awaitReady(SOCKET);
    }
  }

  private boolean exchange(ChaosStream stream, long seed, long up, long down, boolean stalls)
      throws IOException, InterruptedException {
    stream.writeNumbers(ChaosServer.MAGIC, seed, up, down);
    boolean[] written = {false};
    Thread writer =
        Thread.ofPlatform()
            .daemon()
            .start(
                () -> {
                  try {
                    stream.writePattern(seed, up);
                    stream.shutdownWrite();
                    written[0] = true;
                  } catch (IOException lost) {
                    // So is the other direction.
                  } catch (AssertionError hangs) {
                    violation(hangs);
                  }
                });
    try {
      stream.readPattern(-seed, down, stalls ? ChaosLoad::stall : () -> {});
      if (ChaosServer.answersAtTheEnd(seed) && stream.readNumbers(1)[0] != ChaosServer.RIGHT) {
        throw new AssertionError("another last word");
      }
      boolean ignored = stream.readEnd(); // hung up, once both have said their ends
      writer.join();
      return written[0];
    } finally {
      writer.join();
    }
  }

  private static void stall() {
    LockSupport.parkNanos(STALL_NANOS);
  }

  /** A short session by the exposed socket, which is there whenever the proxy is. */
  private boolean ping(Random random) throws InterruptedException {
    try (ChaosStream stream = ChaosStream.connect(hosts.file(Host.A, EXPOSED).toString())) {
      long few = 1L + random.nextInt(64);
      return exchange(stream, 2L * random.nextInt(1 << 20), few, few, false);
    } catch (IOException told) {
      return false;
    }
  }

  private boolean descriptors() {
    String outcome = scripted.run();
    if (outcome.startsWith("got ") || outcome.startsWith("more ")) {
      throw new AssertionError("descriptors: " + outcome);
    }
    return outcome.equals(ScriptedSession.RIGHT);
  }

  private Running call(Random random, String call, String program, String... arguments)
      throws IOException {
    String script = call.formatted(random.nextInt(4) == 0 ? "no" : "", program);
    List<String> all =
        new ArrayList<>(List.of("/bin/bash", "-o", "pipefail", "-c", script, input.toString()));
    all.addAll(List.of(arguments));
    return hosts.start(Host.A, all);
  }

  private boolean command(Random random) throws IOException, InterruptedException {
    boolean late = random.nextInt(4) == 0;
    int lines = random.nextInt(late ? MOST_LINES : 5);
    int code = random.nextInt(100);
    String name = "call-" + random.nextInt(1_000_000);
    Running running =
        call(
            random,
            late ? LATE_CALL : CALL,
            PROGRAM,
            Integer.toString(lines),
            name,
            Integer.toString(code));
    Running.Result result = running.result(LONGEST_COMMAND);
    String whole = expected(name, lines);
    forget(running);
    if (!whole.startsWith(result.output())) {
      throw new AssertionError("wrong output of " + name + ": " + result);
    }
    if (result.code() == code && result.output().equals(whole)) {
      return true;
    }
    requireToldLost(result, code + ", " + lines + " lines of " + name);
    return false;
  }

  private static String expected(String name, int lines) {
    StringBuilder whole = new StringBuilder();
    for (int i = 0; i < lines; i++) {
      whole.append(name).append(" line ").append(i).append('\n');
    }
    return whole.append("the input\n").toString();
  }

  /**
   * 125, and a line; 126 where the link was lost before the server's first word, which from a C
   * server is how it refuses.
   */
  private static void requireToldLost(Running.Result result, String expected) {
    boolean told =
        result.code() == 125
            || (result.code() == 126 && result.stderr().contains("before it could start"));
    if (!told || result.stderr().lines().count() < LINE_OF_STDERR) {
      throw new AssertionError("neither what it should be, " + expected + ", nor lost: " + result);
    }
  }

  /** A program that runs on when its caller is told to end. */
  private boolean killedCommand(Random random) throws Exception {
    Running running = call(random, CALL, "echo here; exec sleep 25");
    Await.until(
        "it runs or has failed",
        LONGEST_COMMAND,
        () -> !running.output().isEmpty() || !running.process().isAlive());
    boolean kills = random.nextBoolean();
    if (running.process().isAlive()) {
      running.signal(kills ? "KILL" : "TERM");
    }
    Running.Result result = running.result(LONGEST_COMMAND);
    forget(running);
    if (result.code() == 128 + (kills ? 9 : 15)) {
      return true;
    }
    requireToldLost(result, "ended by a signal");
    return false;
  }

  private static void forget(Running running) throws IOException {
    Files.deleteIfExists(running.stdout());
    Files.deleteIfExists(running.stderr());
  }

  @Override
  public void close() {
    scripted.close();
    server.close();
    pinged.close();
  }
}
