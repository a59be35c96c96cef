package qtfs.dist;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Commands on this machine, in an environment that has nothing of the build's: no Java of its own,
 * and only the system's directories in the PATH.
 */
final class Command {
  private static final Map<String, String> ENVIRONMENT =
      Map.of("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL", "C.UTF-8");

  /** As rpm makes a database in it, and makes the directory too. */
  private static final Path HOME = Path.of("target/home").toAbsolutePath();

  private Command() {}

  /** Runs a shell script, in which $1 and so on are the arguments, to its end. */
  static Running.Result sh(String script, Object... args) throws IOException, InterruptedException {
    return start(script, args).result();
  }

  /** Runs a shell script that must succeed, and gives its standard output. */
  static String succeed(String script, Object... args) throws IOException, InterruptedException {
    Running.Result result = sh(script, args);
    if (result.code() != 0) {
      throw new AssertionError(script + ": " + result);
    }
    return result.output();
  }

  static Running start(String script, Object... args) throws IOException {
    List<String> command =
        Stream.concat(
                Stream.of("/bin/sh", "-ec", script, "sh"), Stream.of(args).map(String::valueOf))
            .toList();
    Path directory = Files.createTempDirectory("qtfs-command");
    directory.toFile().deleteOnExit();
    Path stdout = directory.resolve("out");
    Path stderr = directory.resolve("err");
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().clear();
    builder.environment().putAll(ENVIRONMENT);
    builder.environment().put("HOME", Files.createDirectories(HOME).toString());
    builder.redirectInput(new File("/dev/null"));
    builder.redirectOutput(stdout.toFile());
    builder.redirectError(stderr.toFile());
    Running running = new Running(command, builder.start(), stdout, stderr);
    stdout.toFile().deleteOnExit();
    stderr.toFile().deleteOnExit();
    return running;
  }
}
