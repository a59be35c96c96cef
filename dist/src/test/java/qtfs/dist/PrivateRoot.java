package qtfs.dist;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import qtfs.testing.Await;

/**
 * A copy of this machine's file system to install into: what is written there is in memory, and
 * gone with it.
 *
 * <p>An overlay over /, in a mount namespace of its own, without the machine's /run and without its
 * Java. Processes and network are the machine's. Closing ends the process that holds the namespace.
 */
final class PrivateRoot implements AutoCloseable {
  private static final String MAKE =
      """
      mount -t tmpfs -o size=2g tmpfs "$1"
      mkdir "$1/upper" "$1/work" "$1/root"
      mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
      mount --rbind /proc "$1/root/proc"
      mount --rbind /dev "$1/root/dev"
      mount -t tmpfs tmpfs "$1/root/run"
      mount -t tmpfs tmpfs "$1/root/tmp"
      [ ! -e /usr/lib/jvm ] || mount -t tmpfs tmpfs "$1/root/usr/lib/jvm"
      echo ready
      exec sleep 3600
      """;

  private final Path directory;
  private final Running holder;

  private PrivateRoot(Path directory, Running holder) {
    this.directory = directory;
    this.holder = holder;
  }

  /** Skips the test, aloud, where there can be none. */
  static PrivateRoot make() throws Exception {
    TwoHosts.skipUnless(TwoHosts.isRoot(), "a root of its own needs root: run as root");
    TwoHosts.skipUnless(
        TwoHosts.succeeds("unshare", "--mount", "true"),
        "unshare(2) is not allowed here: run on a machine or in a container with CAP_SYS_ADMIN");
    Path directory = Files.createTempDirectory("qtfs-root");
    Running holder =
        Command.start(
            "exec unshare --mount --propagation private /bin/sh -ec \"$2\" sh \"$1\"",
            directory,
            MAKE);
    PrivateRoot root = new PrivateRoot(directory, holder);
    Await.until(
        "a private root: " + holder.stderr(),
        () -> holder.output().contains("ready") || !holder.process().isAlive());
    if (!holder.process().isAlive()) {
      String why = holder.errors();
      root.close();
      TwoHosts.skipUnless(false, "no overlay over / here, by " + why.strip());
    }
    return root;
  }

  /** Copies a file of the machine into /tmp there, and gives its path. */
  String bring(Path file) throws IOException, InterruptedException {
    String name = "/tmp/" + file.getFileName();
    Command.succeed(
        "nsenter -t \"$1\" -m -- cp -R --preserve=mode,timestamps \"$2\" \"$3/root$4\"",
        holder.pid(),
        file,
        directory,
        name);
    return name;
  }

  /** Runs a script there. */
  Running.Result sh(String script) throws IOException, InterruptedException {
    return Command.sh(
        "exec nsenter -t \"$1\" -m -- chroot \"$2/root\" /bin/sh -ec \"$3\"",
        holder.pid(),
        directory,
        script);
  }

  /** Runs a script there that must succeed, and gives its standard output. */
  String succeed(String script) throws IOException, InterruptedException {
    Running.Result result = sh(script);
    if (result.code() != 0) {
      throw new AssertionError(script + ": " + result);
    }
    return result.output();
  }

  @Override
  public void close() throws IOException {
    holder.process().destroy();
    holder.process().onExit().join();
    Files.delete(directory);
  }
}
