package qtfs.rexec;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import qtfs.whitelist.Problem;
import qtfs.whitelist.RexecConfig;
import qtfs.whitelist.RexecPolicies;
import qtfs.whitelist.RexecWhitelist;
import qtfs.whitelist.WhitelistException;

/**
 * The files that a {@link Policy} is made of.
 *
 * @param policies a directory
 */
record PolicyFiles(Path whitelist, Path policies, Path config) {

  /** Those that go with a whitelist: beside it. */
  static PolicyFiles beside(Path whitelist) {
    Path absolute = whitelist.toAbsolutePath();
    return new PolicyFiles(
        whitelist,
        absolute.resolveSibling("policy.d"),
        absolute.resolveSibling("rexec_server.conf"));
  }

  List<Path> all() {
    return List.of(whitelist, policies, config);
  }

  /** Something is wrong with the files: all that is, at once, a line each. */
  static final class BrokenException extends Exception {
    private static final long serialVersionUID = 1L;

    BrokenException(List<Problem> problems) {
      super(problems.stream().map(Problem::toString).collect(Collectors.joining("\n")));
    }
  }

  /** Reads them all. */
  Policy load() throws BrokenException {
    List<Problem> problems = new ArrayList<>();
    @Nullable RexecWhitelist programs = read(() -> RexecWhitelist.load(whitelist), problems);
    @Nullable RexecPolicies rules = read(() -> RexecPolicies.load(policies), problems);
    @Nullable RexecConfig settings = read(() -> RexecConfig.loadIfPresent(config), problems);
    if (programs == null || rules == null || settings == null) {
      throw new BrokenException(problems);
    }
    return new Policy(programs, whitelist.toString(), rules, settings);
  }

  private interface Read<T> {
    T run() throws WhitelistException;
  }

  private static <T> @Nullable T read(Read<T> read, List<Problem> problems) {
    try {
      return read.run();
    } catch (WhitelistException e) {
      problems.addAll(e.problems());
      return null;
    }
  }
}
