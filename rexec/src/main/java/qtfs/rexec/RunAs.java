package qtfs.rexec;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import qtfs.linux.ByteStrings;

/**
 * Another user as whom a program runs, by way of setpriv(1), which becomes the program: with the
 * user's groups and none of root's capabilities. A JVM cannot change the user of a child alone.
 *
 * @param name as it is in /etc/passwd
 * @param home the user's directory
 */
record RunAs(String name, int uid, int gid, String home) {
  private static final List<Path> SETPRIV =
      List.of(Path.of("/usr/bin/setpriv"), Path.of("/bin/setpriv"));
  private static final int FIELDS = 7; // passwd(5)

  /**
   * A user of this host.
   *
   * @param user name or number
   * @throws IOException if there is none, or no setpriv
   */
  static RunAs of(String user) throws IOException {
    Path passwd = Path.of("/etc/passwd");
    for (String line : Files.readAllLines(passwd, StandardCharsets.ISO_8859_1)) {
      String[] fields = line.split(":", -1);
      if (fields.length == FIELDS && (fields[0].equals(user) || fields[2].equals(user))) {
        return new RunAs(
            fields[0], Integer.parseInt(fields[2]), Integer.parseInt(fields[3]), fields[5]);
      }
    }
    throw new IOException("there is no user " + user + " in " + passwd);
  }

  /** What becomes the program. */
  Program helper() throws IOException {
    for (Path path : SETPRIV) {
      if (Files.isExecutable(path)) {
        return new Program(path.toString(), 0);
      }
    }
    throw new IOException("to run as " + name + " needs setpriv: apt-get install util-linux");
  }

  /**
   * The helper's arguments.
   *
   * @param arguments the program's own, from {@code argv[0]} on
   */
  List<String> arguments(Program program, List<String> arguments) {
    List<String> all = new ArrayList<>();
    all.add("setpriv");
    all.add("--reuid=" + uid);
    all.add("--regid=" + gid);
    all.add("--init-groups");
    all.add("--");
    all.add(program.path());
    all.addAll(arguments.subList(1, arguments.size()));
    return all;
  }

  /** An environment that tells the program who it runs as. */
  List<String> environment(List<String> environment) {
    List<String> all = new ArrayList<>(environment);
    all.removeIf(
        variable ->
            variable.startsWith("HOME=")
                || variable.startsWith("USER=")
                || variable.startsWith("LOGNAME="));
    all.add("HOME=" + ByteStrings.of(home));
    all.add("USER=" + name);
    all.add("LOGNAME=" + name);
    return all;
  }
}
