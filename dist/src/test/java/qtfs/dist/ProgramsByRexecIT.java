package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;

/** Programs whose other half runs on B by rexec carry a tree of files there, or back. */
final class ProgramsByRexecIT {
  private static final int FILES = 100;
  private static final int LONGEST = 100_000;

  @AutoClose private static TwoHosts hosts;
  private static Path tree;

  @BeforeAll
  static void up() throws Exception {
    Programs.need("git", "git");
    Programs.need("rsync", "rsync");
    hosts = TwoHosts.up("git", "rsync", "tar");
    tree = makeTree(hosts.shared().resolve("tree"));
  }

  /** Files of every length, an empty directory, a link, a program, and an awkward name. */
  private static Path makeTree(Path root) throws IOException {
    Random random = new Random(FILES);
    for (int i = 0; i < FILES; i++) {
      Path directory = Files.createDirectories(root.resolve("d" + i % 7));
      byte[] bytes = new byte[random.nextInt(LONGEST)];
      random.nextBytes(bytes);
      Files.write(directory.resolve("file " + i), bytes);
    }
    Files.writeString(root.resolve("quote's \"name\" $x"), "");
    Path program = Files.writeString(root.resolve("program"), "#!/bin/sh\n");
    assertThat(program.toFile().setExecutable(true)).isTrue();
    Files.createSymbolicLink(root.resolve("link"), Path.of("d0/file 0"));
    return root;
  }

  /** Each file by its name below a root: what it is, its mode, and its bytes or its target. */
  private static List<String> contents(Path root) throws IOException {
    Function<Path, String> describe =
        path ->
            root.relativize(path) + " " + (Files.isExecutable(path) ? "x " : "- ") + bytes(path);
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .filter(path -> !Files.isDirectory(path) && !path.startsWith(root.resolve(".git")))
          .sorted()
          .map(describe)
          .toList();
    }
  }

  private static String bytes(Path path) {
    try {
      return Files.isSymbolicLink(path)
          ? "-> " + Files.readSymbolicLink(path)
          : Integer.toHexString(Arrays.hashCode(Files.readAllBytes(path)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs a script on A whose arguments are the tree and where it is to go. */
  private static Path carry(String script, String target) throws Exception {
    Path there = hosts.shared().resolve(target);
    Running.Result result = hosts.sh(Host.A, script, tree.toString(), there.toString());
    assertThat(result.code()).as("%s", result).isZero();
    return there;
  }

  private static void assertCarried(Path there) throws IOException {
    assertThat(contents(there)).isEqualTo(contents(tree)).hasSize(FILES + 3);
  }

  @Test
  void tarToTar() throws Exception {
    assertCarried(carry("mkdir \"$2\" && tar cC \"$1\" . | $REXEC tar xC \"$2\"", "by-tar"));
  }

  @Test
  void rsyncByRexec() throws Exception {
    String remoteShell = "#!/bin/sh\nshift\nexec \"$REXEC\" \"$@\"\n";
    Path shell = Files.writeString(hosts.shared().resolve("remote-shell"), remoteShell);
    assertThat(shell.toFile().setExecutable(true)).isTrue();
    assertCarried(carry("rsync -a -e " + shell + " \"$1/\" \"hostB:$2/\"", "by-rsync"));
  }

  @Test
  void gitClone() throws Exception {
    String script =
        """
        set -e
        export HOME="$2.home" GIT_CONFIG_NOSYSTEM=1
        cp -a "$1" "$2.origin"; cd "$2.origin"
        git init -q .; git add -A
        git -c user.name=t -c user.email=t@localhost commit -qm one
        cd /
        git -c protocol.ext.allow=always clone -q "ext::$REXEC git upload-pack $2.origin" "$2"
        git -C "$2" fsck --strict
        """;
    assertCarried(carry(script, "by-git"));
  }
}
