package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import qtfs.dist.TwoHosts.Host;

/** How an unchanged program on A reaches a unix socket of B. */
enum Way {
  /** By the preload library in the program, at the same path. */
  PRELOAD {
    @Override
    String open(TwoHosts hosts, String path, String type) throws IOException {
      TwoHosts.preloadLibrary();
      Files.createDirectories(directoryOnA(hosts, path));
      return path;
    }

    @Override
    String before(String script) {
      return "export LD_PRELOAD='" + TwoHosts.preloadLibrary() + "'; " + script;
    }
  },

  /** By a socket of A that its udsproxyd listens on, at another path. */
  EXPOSE {
    @Override
    String open(TwoHosts hosts, String path, String type) throws Exception {
      String local = "/run/exposed" + path;
      if (Files.notExists(hosts.file(Host.A, local))) {
        Files.createDirectories(directoryOnA(hosts, local));
        Running.Result result = hosts.ctl(Host.A, "expose", path + "=" + local + ",type=" + type);
        assertThat(result.code()).as("%s", result).isZero();
      }
      return local;
    }

    @Override
    String before(String script) {
      return script;
    }
  };

  /**
   * Makes what the way needs; returns the path that the program on A is to use.
   *
   * @param type of the socket, as {@code --expose} has it
   */
  abstract String open(TwoHosts hosts, String path, String type) throws Exception;

  /** The same for a socket of the most common type. */
  String open(TwoHosts hosts, String path) throws Exception {
    return open(hosts, path, "stream");
  }

  abstract String before(String script);

  /** Starts a shell script of clients on A. */
  Running start(TwoHosts hosts, String script, String... args) throws IOException {
    return hosts.startSh(Host.A, before(script), args);
  }

  /** Runs a shell script of clients on A to its end. */
  Running.Result run(TwoHosts hosts, String script, String... args) throws Exception {
    return start(hosts, script, args).result();
  }

  private static Path directoryOnA(TwoHosts hosts, String path) {
    return hosts.file(Host.A, Objects.requireNonNull(Path.of(path).getParent()).toString());
  }
}
