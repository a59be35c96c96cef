package qtfs.rexec;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is executed, with what; byte strings.
 *
 * @param path of the file
 */
record Command(String path, List<String> arguments, List<String> environment) {

  /**
   * A program's.
   *
   * @param user as whom it runs, null for the server's own
   */
  static Command of(
      Program program, List<String> arguments, List<String> environment, @Nullable String user)
      throws IOException {
    if (user == null) {
      return new Command(program.path(), arguments, environment);
    }
    RunAs as = RunAs.of(user);
    return new Command(
        as.helper().path(), as.arguments(program, arguments), as.environment(environment));
  }
}
