package qtfs.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A program to be started with exactly the given descriptors, an empty signal mask, default signal
 * actions and a process group of its own: posix_spawn(3).
 *
 * <p>Started <em>held</em>, because rexec tells the process number before the program may run: the
 * child exists, has let go of every descriptor that is not its own, and waits before its exec in an
 * open(2) of a named pipe that nobody writes. {@link Held#release} opens the other side.
 * posix_spawn gives no other way to know the number of a process that has not started yet, and a
 * helper program that waits and then execs would leave its traces in the environment and cost an
 * exec.
 */
public final class Spawn {
  private static final MemorySegment SPAWN = Libc.function("posix_spawn");
  private static final MemorySegment ACTIONS_INIT = Libc.function("posix_spawn_file_actions_init");
  private static final MemorySegment ACTIONS_DESTROY =
      Libc.function("posix_spawn_file_actions_destroy");
  private static final MemorySegment ACTIONS_DUP2 =
      Libc.function("posix_spawn_file_actions_adddup2");
  private static final MemorySegment ACTIONS_OPEN =
      Libc.function("posix_spawn_file_actions_addopen");
  private static final MemorySegment ACTIONS_CLOSE =
      Libc.function("posix_spawn_file_actions_addclose");

  /** Since glibc 2.34. */
  private static final Optional<MemorySegment> ACTIONS_CLOSE_FROM =
      Libc.optionalFunction("posix_spawn_file_actions_addclosefrom_np");

  /** Since glibc 2.29. */
  private static final Optional<MemorySegment> ACTIONS_CHANGE_DIRECTORY =
      Libc.optionalFunction("posix_spawn_file_actions_addchdir_np");

  private static final MemorySegment ATTRIBUTES_INIT = Libc.function("posix_spawnattr_init");
  private static final MemorySegment ATTRIBUTES_DESTROY = Libc.function("posix_spawnattr_destroy");
  private static final MemorySegment ATTRIBUTES_FLAGS = Libc.function("posix_spawnattr_setflags");
  private static final MemorySegment ATTRIBUTES_SIGDEFAULT =
      Libc.function("posix_spawnattr_setsigdefault");

  // glibc, 64-bit: sizeof (posix_spawn_file_actions_t), (posix_spawnattr_t), (sigset_t)
  private static final int ACTIONS_SIZE = 80;
  private static final int ATTRIBUTES_SIZE = 336;
  private static final int SIGSET_SIZE = 128;
  // spawn.h
  private static final int SETPGROUP = 2;
  private static final int SETSIGDEF = 4;
  private static final int SETSIGMASK = 8;
  private static final int SETSID = 0x80;

  /** Of a number and a space in a file of /proc. */
  private static final int NUMBER_SIZE = 16;

  /** How long a child may take from posix_spawn to its place of waiting. */
  private static final long HOLD_SECONDS = 10;

  private final String program;
  private final List<String> arguments;
  private final List<String> environment;
  private final SortedMap<Integer, Fd> descriptors;
  private @Nullable String directory;
  private @Nullable String terminal;
  private int terminalDescriptors;

  /**
   * Describes a program; the descriptors stay the caller's. The strings are byte strings, a byte in
   * each char, since neither paths nor arguments nor variables have to be text in any charset.
   *
   * @param program path, executed as it is
   * @param arguments from {@code argv[0]} on
   * @param environment {@code NAME=value} each
   * @param descriptors what the program finds at which number; numbers not named are closed
   */
  public Spawn(
      String program,
      List<String> arguments,
      List<String> environment,
      SortedMap<Integer, Fd> descriptors) {
    this.program = program;
    this.arguments = List.copyOf(arguments);
    this.environment = List.copyOf(environment);
    this.descriptors = new TreeMap<>(descriptors);
  }

  /** The program begins in a directory, a byte string. */
  public Spawn in(String directory) {
    this.directory = directory;
    return this;
  }

  /**
   * The program leads a session of its own, whose terminal is its standard input and output, and
   * its standard error where that is not described otherwise.
   *
   * @param terminal of nobody yet
   */
  public Spawn on(Pty terminal) {
    this.terminal = terminal.path();
    this.terminalDescriptors = descriptors.containsKey(2) ? 2 : 3;
    return this;
  }

  /** A child that waits before its exec. */
  public static final class Held {
    private final ChildProcess child;
    private final Path gate;
    private final CompletableFuture<Integer> outcome;

    private Held(ChildProcess child, Path gate, CompletableFuture<Integer> outcome) {
      this.child = child;
      this.gate = gate;
      this.outcome = outcome;
    }

    /**
     * The child, which becomes the program; the caller closes it, and reaps it unless {@link
     * #release} says that it is.
     */
    public ChildProcess child() {
      return child;
    }

    /**
     * Lets the child go on to its exec.
     *
     * @return empty if the program runs, else the errno with which its exec failed, and the child
     *     is gone, reaped
     * @throws LinuxException if it could not be let go; it ends, or is to be killed, and {@link
     *     ChildProcess#reapIfLeft} takes what is left of it
     */
    public Optional<Integer> release() throws LinuxException {
      // Read and write, because this end must neither wait for the child nor fail without it.
      try (Fd _ = Fd.open(gate, Fd.O_RDWR | Fd.O_NONBLOCK)) {
        int errno = await(outcome);
        return errno == 0 ? Optional.empty() : Optional.of(errno);
      } finally {
        remove(gate);
      }
    }

    /**
     * Ends the child without a start of the program; {@link ChildProcess#reapIfLeft} takes what is
     * left of it.
     */
    public void abandon() throws LinuxException {
      // To the process, as it may not have made its group yet; SIGKILL, as it blocks all others.
      child.signal(9);
      try {
        int ignored = await(outcome);
      } finally {
        remove(gate);
      }
    }
  }

  /**
   * Starts the child and holds it before its exec.
   *
   * @param gate a path that is free, in a directory of ours, for the pipe it waits at
   * @throws LinuxException if there could be no child, or a descriptor could not be given to it
   */
  public Held startHeld(Path gate) throws IOException {
    Pipe.makeFifo(gate, 0600);
    CompletableFuture<Fd> children = new CompletableFuture<>();
    CompletableFuture<Integer> outcome = new CompletableFuture<>();
    try {
      startThread(() -> spawnOnThisThread(gate, children, outcome));
      try (Fd open = await(children)) {
        int pid = awaitChildIn(open, outcome);
        return new Held(takeCharge(pid, outcome), gate, outcome);
      }
    } catch (IOException | RuntimeException e) {
      remove(gate);
      throw e;
    }
  }

  /** The name that a held child shows until its exec, by which a new server finds orphans. */
  public static final String HELD_COMM = "rexec-held";

  /**
   * posix_spawn returns when the child has executed or died, so a thread of its own waits in it.
   * Platform, because the child's number is looked up as the only child of that thread.
   */
  private static void startThread(Runnable task) throws LinuxException {
    try {
      Thread.ofPlatform().name(HELD_COMM).daemon().start(task);
    } catch (OutOfMemoryError e) {
      // What the JVM says when the system gives it no thread.
      throw new LinuxException("a thread for posix_spawn", Errno.EAGAIN);
    }
  }

  /** Opens what tells its child before there is one, as later there may be no descriptor left. */
  private void spawnOnThisThread(
      Path gate, CompletableFuture<Fd> children, CompletableFuture<Integer> outcome) {
    try {
      children.complete(
          Fd.open("/proc/thread-self/children", Fd.O_RDONLY, 0)); // CONFIG_PROC_CHILDREN
      outcome.complete(spawn(gate));
    } catch (LinuxException | RuntimeException e) {
      boolean ignored = children.completeExceptionally(e);
      outcome.completeExceptionally(e);
    }
  }

  /**
   * The number of the child that a thread of ours has made. A read that fails is made again: the
   * child would be lost.
   */
  private static int awaitChildIn(Fd children, CompletableFuture<Integer> outcome)
      throws IOException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(HOLD_SECONDS);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocate(NUMBER_SIZE);
      while (System.nanoTime() < deadline) {
        if (outcome.isDone()) {
          throw new LinuxException("posix_spawn", await(outcome));
        }
        children.position(0);
        long n = children.read(text, NUMBER_SIZE);
        if (n > 0) {
          byte[] number = text.asSlice(0, n).toArray(JAVA_BYTE);
          return Integer.parseInt(new String(number, US_ASCII).strip());
        }
        Thread.onSpinWait();
      }
    }
    throw new IOException("posix_spawn made no child in " + HOLD_SECONDS + " s");
  }

  /** Of the child, or ends it: nobody else knows of it. */
  private static ChildProcess takeCharge(int pid, CompletableFuture<Integer> outcome)
      throws LinuxException {
    try {
      return ChildProcess.of(pid);
    } catch (LinuxException e) {
      ChildProcess.kill(pid);
      if (await(outcome) == 0) {
        // Otherwise posix_spawn has reaped it.
        ExitStatus ignored = ChildProcess.reap(pid);
      }
      throw e;
    }
  }

  private static <T> T await(CompletableFuture<T> future) throws LinuxException {
    try {
      return future.get(HOLD_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof LinuxException cause) {
        throw cause;
      }
      throw new IllegalStateException(e.getCause());
    } catch (TimeoutException e) {
      throw new LinuxException("posix_spawn did not return", Errno.EAGAIN);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LinuxException("posix_spawn", Errno.EINTR);
    }
  }

  private static void remove(Path gate) {
    // Not by Files.delete, which wants to know first what it is, and may fail at that.
    if (!gate.toFile().delete() && Files.exists(gate, LinkOption.NOFOLLOW_LINKS)) {
      Log.warn("cannot remove " + gate);
    }
  }

  private int spawn(Path gate) throws LinuxException {
    List<Fd> sources = new ArrayList<>();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment actions = arena.allocate(ACTIONS_SIZE, 8);
      MemorySegment attributes = arena.allocate(ATTRIBUTES_SIZE, 8);
      doneOk(Libc.callReturningErrno(ACTIONS_INIT, actions.address(), 0, 0, 0, 0, 0));
      doneOk(Libc.callReturningErrno(ATTRIBUTES_INIT, attributes.address(), 0, 0, 0, 0, 0));
      try {
        addDescriptors(actions, sources);
        addTerminal(arena, actions);
        addGate(arena, actions, gate);
        addDirectory(arena, actions);
        setAttributes(arena, attributes);
        return Libc.callReturningErrno(
            SPAWN,
            arena.allocate(JAVA_INT).address(),
            Libc.cBytes(arena, program).address(),
            actions.address(),
            attributes.address(),
            Libc.cByteStrings(arena, arguments, arguments.size()).address(),
            Libc.cByteStrings(arena, environment, environment.size()).address());
      } finally {
        doneOk(Libc.callReturningErrno(ACTIONS_DESTROY, actions.address(), 0, 0, 0, 0, 0));
        doneOk(Libc.callReturningErrno(ATTRIBUTES_DESTROY, attributes.address(), 0, 0, 0, 0, 0));
      }
    } finally {
      Fd.closeAll(sources);
    }
  }

  /** Each descriptor to its number, and nothing else: first above all targets, then into place. */
  private void addDescriptors(MemorySegment actions, List<Fd> sources) throws LinuxException {
    int afterLast = afterLast();
    for (var entry : descriptors.entrySet()) {
      Fd source = entry.getValue().duplicateFrom(Math.max(afterLast, 3));
      sources.add(source);
      action(ACTIONS_DUP2, actions, source.number(), entry.getKey());
    }
    for (int number = 0; number < afterLast; number++) {
      if (!descriptors.containsKey(number)) {
        action(ACTIONS_CLOSE, actions, number, 0);
      }
    }
    if (ACTIONS_CLOSE_FROM.isPresent()) {
      action(ACTIONS_CLOSE_FROM.get(), actions, afterLast, 0);
    } else {
      // What is opened from here on, by whichever thread, is close-on-exec.
      for (int number : openNumbers()) {
        if (number >= afterLast) {
          action(ACTIONS_CLOSE, actions, number, 0);
        }
      }
    }
  }

  /** After all descriptors are in place: a waiting child must not keep anybody's pipe open. */
  private void addGate(Arena arena, MemorySegment actions, Path gate) throws LinuxException {
    int number = Math.max(terminalDescriptors, afterLast());
    addOpen(arena, actions, number, gate.toString(), Fd.O_RDONLY);
    action(ACTIONS_CLOSE, actions, number, 0);
  }

  /** The first terminal that a session leader opens becomes its controlling one. */
  private void addTerminal(Arena arena, MemorySegment actions) throws LinuxException {
    if (terminal != null) {
      addOpen(arena, actions, 0, terminal, Fd.O_RDWR);
      for (int number = 1; number < terminalDescriptors; number++) {
        action(ACTIONS_DUP2, actions, 0, number);
      }
    }
  }

  private static void addOpen(
      Arena arena, MemorySegment actions, int number, String path, int flags)
      throws LinuxException {
    long name = Libc.cString(arena, path).address();
    doneOk(Libc.callReturningErrno(ACTIONS_OPEN, actions.address(), number, name, flags, 0, 0));
  }

  /** At the very end, since the paths before may be relative to this process's directory. */
  private void addDirectory(Arena arena, MemorySegment actions) throws LinuxException {
    if (directory != null) {
      MemorySegment function =
          ACTIONS_CHANGE_DIRECTORY.orElseThrow(
              () -> new LinuxException("a directory for a program, by this glibc", Errno.ENOSYS));
      long name = Libc.cBytes(arena, directory).address();
      doneOk(Libc.callReturningErrno(function, actions.address(), name, 0, 0, 0, 0));
    }
  }

  private int afterLast() {
    return descriptors.isEmpty() ? 0 : descriptors.lastKey() + 1;
  }

  private void setAttributes(Arena arena, MemorySegment attributes) throws LinuxException {
    MemorySegment all = arena.allocate(SIGSET_SIZE, 8).fill((byte) 0xff);
    doneOk(
        Libc.callReturningErrno(
            ATTRIBUTES_SIGDEFAULT, attributes.address(), all.address(), 0, 0, 0, 0));
    // An empty mask and group 0, a new one, are what posix_spawnattr_init has put there. A session
    // leader leads its group, too.
    int leader = terminal == null ? SETPGROUP : SETSID;
    doneOk(
        Libc.callReturningErrno(
            ATTRIBUTES_FLAGS, attributes.address(), leader | SETSIGDEF | SETSIGMASK, 0, 0, 0, 0));
  }

  private static void action(MemorySegment function, MemorySegment actions, int a, int b)
      throws LinuxException {
    doneOk(Libc.callReturningErrno(function, actions.address(), a, b, 0, 0, 0));
  }

  private static void doneOk(int errno) throws LinuxException {
    if (errno != 0) {
      throw new LinuxException("posix_spawn", errno);
    }
  }

  /** The numbers of all descriptors of this process. */
  public static List<Integer> openNumbers() {
    String[] names = new java.io.File("/proc/self/fd").list();
    List<Integer> numbers = new ArrayList<>();
    for (String name : names == null ? new String[0] : names) {
      numbers.add(Integer.valueOf(name));
    }
    return numbers;
  }
}
