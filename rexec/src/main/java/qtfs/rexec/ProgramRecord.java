package qtfs.rexec;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.Properties;
import qtfs.linux.Log;

/**
 * A program that runs, as it is noted on disk for the server after this one.
 *
 * @param startTime in the kernel's ticks since boot, which tells a process from a later one of the
 *     same number
 * @param uid of the requester
 * @param program its name, as a text
 * @param rule that allowed it
 */
record ProgramRecord(int pid, long startTime, int uid, String program, String rule, Instant since) {

  /** For a process that exists; its start time is 0 if it does not. */
  static ProgramRecord of(int pid, int uid, String program, String rule) {
    long startTime = startTime(pid).orElse(0L);
    return new ProgramRecord(
        pid, startTime, uid, Log.escape(program), Log.escape(rule), Instant.now());
  }

  /** Writes {@code directory/pid}, mode 0600 under our umask. */
  void write(Path directory) throws IOException {
    String text =
        "start="
            + startTime
            + "\nuid="
            + uid
            + "\nsince="
            + since
            + "\nrule="
            + rule
            + "\nprogram="
            + program
            + "\n";
    Files.writeString(directory.resolve(Integer.toString(pid)), text);
  }

  /** Reads a record; empty if it is none, which a server that was killed while writing leaves. */
  static Optional<ProgramRecord> read(Path file) {
    try {
      Properties values = new Properties();
      for (String line : Files.readAllLines(file)) {
        int equals = line.indexOf('=');
        values.setProperty(line.substring(0, Math.max(0, equals)), line.substring(equals + 1));
      }
      return Optional.of(
          new ProgramRecord(
              Integer.parseInt(file.getFileName().toString()),
              Long.parseLong(values.getProperty("start", "")),
              Integer.parseInt(values.getProperty("uid", "")),
              values.getProperty("program", ""),
              values.getProperty("rule", ""),
              Instant.parse(values.getProperty("since", ""))));
    } catch (IOException | RuntimeException e) {
      return Optional.empty();
    }
  }

  /** Whether the process is still there. */
  boolean isAlive() {
    return startTime(pid).filter(now -> now == startTime).isPresent();
  }

  /** Of a process that is no zombie. */
  private static Optional<Long> startTime(int pid) {
    try {
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
      // pid (comm) state ..., where comm is any text; starttime is the 22nd: proc(5)
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
      return fields[0].equals("Z") ? Optional.empty() : Optional.of(Long.valueOf(fields[19]));
    } catch (IOException | RuntimeException gone) {
      return Optional.empty();
    }
  }
}
