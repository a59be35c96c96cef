package qtfs.udsproxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Command lines of {@code udsproxyd ctl}, run in this process. */
final class Ctls {
  private Ctls() {}

  /** What a command line has left behind. */
  record Result(int code, String output, String errors) {}

  /** Runs a command line against the daemon of a run directory. */
  static Result run(Path runDirectory, String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.add("--run-dir=" + runDirectory);
    return run(all);
  }

  static Result run(List<String> arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int code =
        new Ctl(new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8))
            .run(arguments);
    return new Result(code, out.toString(UTF_8), err.toString(UTF_8));
  }

  /** The objects of a list that a command prints as JSON. */
  static List<Map<?, ?>> list(Path runDirectory, String command) throws IOException {
    Map<String, @Nullable Object> answer =
        Json.object(run(runDirectory, command, "--json").output().strip());
    List<Map<?, ?>> objects = new ArrayList<>();
    if (answer.get(command) instanceof List<?> list) {
      list.forEach(element -> objects.add((Map<?, ?>) element));
    } else {
      throw new IOException("no list: " + answer);
    }
    return objects;
  }
}
