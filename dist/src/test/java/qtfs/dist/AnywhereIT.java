package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The install image works wherever it is unpacked, for whoever runs it, with no other Java. */
final class AnywhereIT {
  private static final long LIMIT = 80_000_000;

  @AutoClose private static Tarball tarball;

  @TempDir private Path directory;

  @BeforeAll
  static void unpack() throws Exception {
    tarball = Tarball.unpack();
  }

  @Test
  void isSmall() throws Exception {
    assertThat(Files.size(Tarball.FILE)).isLessThan(LIMIT);
  }

  static Stream<String> programs() throws Exception {
    try (Stream<Path> programs = Files.list(tarball.image().resolve("bin"))) {
      return programs.map(program -> program.getFileName().toString()).sorted().toList().stream();
    }
  }

  @ParameterizedTest
  @MethodSource("programs")
  void startsWhereThereIsNoOtherJava(String program) throws Exception {
    tarball.needRuntime();
    needMounts();
    Running.Result result =
        Command.sh(
            """
            exec unshare --mount --propagation private /bin/sh -ec '
              [ ! -e /usr/lib/jvm ] || mount -t tmpfs tmpfs /usr/lib/jvm
              PATH=/usr/bin:/bin exec env -u JAVA_HOME "$1" --help' sh "$1"
            """,
            tarball.image().resolve("bin").resolve(program));
    // 255 of qtcfg and qtinfo, as of the C ones.
    assertThat(result.code()).as("%s", result).isIn(0, 255);
    assertThat(result.output()).as("%s", result).containsIgnoringCase("usage: ").contains(program);
    assertThat(result.stderr()).as("%s", result).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"udsproxyd", "rexec_server", "qtcfg", "qtinfo", "engine"})
  void findsItsCacheToFit(String program) throws Exception {
    tarball.needRuntime();
    // With this the JVM does not start when the cache is not of these very jars and this runtime.
    Running.Result result =
        Command.sh(
            "QTFS_JAVA_OPTIONS=-XX:AOTMode=on exec \"$1\" --version",
            tarball.image().resolve("bin").resolve(program));
    assertThat(result.code()).as("%s", result).isZero();
    assertThat(result.output()).as("%s", result).startsWith(program);
  }

  @Test
  void isFoundThroughLinks() throws Exception {
    Path links = Files.createTempDirectory(tarball.directory(), "links");
    Command.succeed(
        "ln -s \"$1/bin/qtcfg\" \"$2/one\"; ln -s one \"$2/two\"; ln -s \"$1\" \"$2/dir\"",
        tarball.image(),
        links);
    for (String way : List.of("\"$1/one\"", "\"$1/two\"", "\"$1/dir/bin/qtcfg\"")) {
      assertThat(Command.succeed(way + " --version", links)).startsWith("qtcfg");
    }
    assertThat(Command.succeed("cd \"$1\"; ./two --version", links)).startsWith("qtcfg");
    assertThat(Command.succeed("PATH=$1:$PATH; two --version", links)).startsWith("qtcfg");
    assertThat(Command.succeed("cd \"$1/bin\"; sh qtcfg --version", tarball.image()))
        .startsWith("qtcfg");
  }

  @Test
  void worksOnAReadOnlyFileSystem() throws Exception {
    needMounts();
    Running.Result result =
        Command.sh(
            """
            exec unshare --mount --propagation private /bin/sh -ec '
              mount --bind "$1" "$1"
              mount -o remount,ro,bind "$1"
              ! touch "$1/bin/qtcfg" 2>/dev/null
              "$1/bin/qtcfg" --version
              "$1/bin/rexec" --help >/dev/null' sh "$1"
            """,
            tarball.image());
    assertThat(result.code()).as("%s", result).isZero();
    assertThat(result.stderr()).as("%s", result).isEmpty();
  }

  @Test
  void servesAnOrdinaryUser() throws Exception {
    TwoHosts.skipUnless(TwoHosts.isRoot(), "changing to another user needs root: run as root");
    Programs.need("setpriv", "util-linux");
    Command.succeed("chown 65534:65534 \"$1\"; chmod 755 \"$1\"", directory);
    Files.writeString(directory.resolve("whitelist"), "[Open]\nPath=/srv\n");
    Files.writeString(directory.resolve("programs"), "/bin/sh\n");
    Command.succeed("chmod 444 \"$1/programs\" \"$1/whitelist\"", directory);
    Running.Result result =
        Command.sh(
            """
            exec setpriv --reuid 65534 --regid 65534 --clear-groups /bin/sh -ec '
              export REXEC_RUN_DIR="$2/run"
              "$1/bin/rexec" --help >/dev/null
              "$1/bin/qtcfg" check "$2/whitelist"
              "$1/bin/rexec_server" --whitelist "$2/programs" 2>"$2/log" & server=$!
              trap "kill $server; wait $server || :" EXIT
              while [ ! -S "$2/run/rexec_uds.sock" ]; do kill -0 $server; sleep 0.1; done
              "$1/bin/rexec" /bin/sh -c "id -u"' sh "$1" "$2"
            """,
            tarball.image(),
            directory);
    assertThat(result.code()).as("%s %s", result, log()).isZero();
    assertThat(result.output()).as("%s %s", result, log()).endsWith("65534\n");
  }

  private String log() throws Exception {
    Path log = directory.resolve("log");
    return Files.exists(log) ? Files.readString(log) : "";
  }

  @Test
  void takesAnotherJavaWhenTold() throws Exception {
    String output =
        Command.succeed(
            "QTFS_JAVA_HOME=$2 QTFS_JAVA_OPTIONS=-XshowSettings:properties"
                + " \"$1/bin/qtcfg\" --version 2>&1",
            tarball.image(),
            System.getProperty("java.home"));
    assertThat(output).contains("java.home = " + System.getProperty("java.home"));
  }

  @Test
  void hasNativeLibrariesOfThisPlatformOnly() throws Exception {
    int machine = machine(Path.of(System.getProperty("java.home"), "bin/java"));
    List<Path> files = ImageFiles.below(tarball.image());
    assertThat(files).noneMatch(file -> file.toString().matches(".*\\.(dll|dylib|jnilib)"));
    List<Path> libraries = files.stream().filter(file -> file.toString().endsWith(".so")).toList();
    assertThat(libraries).isNotEmpty();
    for (Path library : libraries) {
      assertThat(machine(library)).as("%s", library).isEqualTo(machine);
    }
  }

  @Test
  void asksForNoNewerLibraryThanThePackagesSay() throws Exception {
    Path bin = tarball.image().resolve("bin");
    for (Path file : ImageFiles.below(tarball.image())) {
      if (file.startsWith(bin) || file.toString().endsWith(".so")) {
        assertThat(GlibcVersion.of(file))
            .as("%s", file)
            .isLessThanOrEqualTo(GlibcVersion.minimum());
      }
    }
  }

  private static int machine(Path file) throws Exception {
    try (InputStream in = Files.newInputStream(file)) {
      return Elf.machine(in);
    }
  }

  private static void needMounts() throws Exception {
    TwoHosts.skipUnless(TwoHosts.isRoot(), "mounting needs root: run as root");
    TwoHosts.skipUnless(
        TwoHosts.succeeds("unshare", "--mount", "true"),
        "unshare(2) is not allowed here: run on a machine or in a container with CAP_SYS_ADMIN");
  }
}
