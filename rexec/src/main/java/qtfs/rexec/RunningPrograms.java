package qtfs.rexec;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import qtfs.linux.Log;

/**
 * The programs that run, those that a server before this one has left running included: in memory
 * and, for the server after this one, as a file each in {@code programs/}. Safe from any thread.
 *
 * <p>A survivor's streams do not depend on a server, so it runs on; what is lost is the way of its
 * exit code, since only a parent is told that.
 */
final class RunningPrograms {
  private static final String DIRECTORY = "programs";

  private final Path directory;
  private final Map<Integer, ProgramRecord> own = new TreeMap<>();
  private final Deque<ProgramRecord> survivors = new ArrayDeque<>();
  private final Map<Integer, Integer> places = new HashMap<>();
  private long started;
  private long refused;
  private boolean over;

  RunningPrograms(Path runDir) {
    this.directory = runDir.resolve(DIRECTORY);
  }

  /** A program and whether a server before this one has started it. */
  record Listed(ProgramRecord program, boolean isSurvivor) {}

  /** How many requests there have been. */
  record Counts(long started, long refused, int running, int survivors) {}

  /** Finds what still runs, and says so; by the server that holds the lock of the run directory. */
  synchronized void adopt() throws IOException {
    Files.createDirectories(directory);
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        ProgramRecord.read(file)
            .filter(ProgramRecord::isAlive)
            .ifPresentOrElse(this::adopt, () -> remove(file));
      }
    }
  }

  private void adopt(ProgramRecord program) {
    survivors.add(program);
    Log.warn(
        program.program()
            + " pid "
            + program.pid()
            + " still runs since "
            + program.since()
            + ", started by a server before this one: nobody will be told its exit code");
  }

  /**
   * Takes a place of a requester's.
   *
   * @return false if he has as many as he may
   */
  synchronized boolean enter(int uid, int most) {
    int taken = places.getOrDefault(uid, 0);
    if (taken >= most) {
      return false;
    }
    places.put(uid, taken + 1);
    return true;
  }

  /** Gives a place back. */
  synchronized void leave(int uid) {
    places.computeIfPresent(uid, (_, taken) -> taken == 1 ? null : taken - 1);
  }

  /** A request was refused. */
  synchronized void refused() {
    refused++;
  }

  /** A program runs. */
  synchronized void started(ProgramRecord program) {
    started++;
    if (over) {
      return;
    }
    own.put(program.pid(), program);
    try {
      program.write(directory);
    } catch (IOException e) {
      Log.warn("cannot note that " + program.pid() + " runs: " + e.getMessage());
    }
  }

  /** A program of this server has ended, or never ran. */
  synchronized void ended(int pid) {
    if (own.remove(pid) != null) {
      remove(directory.resolve(Integer.toString(pid)));
    }
    forgetNextIfDead();
  }

  /** All of this server's are killed, and none is noted any more: the process is about to end. */
  synchronized void endAll() {
    over = true;
    List.copyOf(own.keySet()).forEach(this::ended);
  }

  /** What runs now. */
  synchronized List<Listed> list() {
    forgetDead();
    List<Listed> all = new ArrayList<>();
    survivors.forEach(program -> all.add(new Listed(program, true)));
    own.values().forEach(program -> all.add(new Listed(program, false)));
    all.sort(Comparator.comparing(listed -> listed.program().since()));
    return all;
  }

  synchronized Counts counts() {
    forgetDead();
    return new Counts(started, refused, own.size(), survivors.size());
  }

  /** Of the survivors nobody tells their end. */
  private void forgetDead() {
    survivors.removeIf(this::isForgotten);
  }

  /** One survivor after the other: there may be hundreds, and each costs a look into /proc. */
  private void forgetNextIfDead() {
    ProgramRecord next = survivors.poll();
    if (next != null && !isForgotten(next)) {
      survivors.add(next);
    }
  }

  /** Whether a survivor is dead; nothing is noted of it then. */
  private boolean isForgotten(ProgramRecord survivor) {
    boolean dead = !survivor.isAlive();
    if (dead && !own.containsKey(survivor.pid())) {
      remove(directory.resolve(Integer.toString(survivor.pid())));
    }
    return dead;
  }

  private static void remove(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      Log.warn("cannot remove " + file + ": " + e.getMessage());
    }
  }
}
