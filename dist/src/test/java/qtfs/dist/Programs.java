package qtfs.dist;

import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * The programs that nobody here wrote and that the acceptance tests run, and our scripts for them.
 */
final class Programs {
  /** The one of the distribution, whose modules it installs for it; not another in the PATH. */
  static final String PYTHON = "/usr/bin/python3";

  private Programs() {}

  /**
   * Skips the test, aloud, where a program is missing.
   *
   * @param program its name in the PATH or in a directory of daemons, or a pattern of its path
   * @param packages what to install
   */
  static void need(String program, String packages) throws InterruptedException {
    String search = "PATH=$PATH:/usr/sbin:/sbin; command -v " + program;
    TwoHosts.skipUnless(
        TwoHosts.succeeds("sh", "-c", search),
        program + " is missing: apt-get install --no-install-recommends " + packages);
  }

  /** Skips the test, aloud, where Python has not these modules. */
  static void needPython(String modules, String packages) throws InterruptedException {
    TwoHosts.skipUnless(
        TwoHosts.succeeds(PYTHON, "-c", "import " + modules),
        PYTHON
            + " with "
            + modules
            + " is missing: apt-get install --no-install-recommends "
            + packages);
  }

  /** The path of a script beside this class. */
  static String script(String name) {
    try {
      return Path.of(Objects.requireNonNull(Programs.class.getResource(name), name).toURI())
          .toString();
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(name, e);
    }
  }
}
