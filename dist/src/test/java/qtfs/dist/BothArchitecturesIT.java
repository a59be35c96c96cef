package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import qtfs.dist.TwoHosts.Host;

/**
 * What an image for x86-64 or aarch64 is made of is there for both, and what is in C runs on both.
 * The image itself, with its Java runtime and AOT caches, is made on a machine of its architecture
 * only.
 */
final class BothArchitecturesIT {
  private static final int X86_64 = 62; // EM_X86_64
  private static final int AARCH64 = 183; // EM_AARCH64
  private static final String CC = "aarch64-linux-gnu-gcc";
  private static final String EMULATOR = "qemu-aarch64-static";

  /** For what is not static. The launcher's root directory would not be the agent's with it. */
  private static final String SYSROOT = "/usr/aarch64-linux-gnu";

  @TempDir private Path directory;

  @ParameterizedTest
  @CsvSource({"amd64, x86_64, " + X86_64, "aarch64, aarch_64, " + AARCH64})
  void nativeLibrariesAreAmongTheDependencies(String junixsocket, String netty, int machine)
      throws Exception {
    String version = Objects.requireNonNull(System.getProperty("qtfs.junixsocket"));
    String directory = "/lib/" + junixsocket + "-Linux-clang/jni/";
    assertThat(machine(directory + "libjunixsocket-native-" + version + ".so")).isEqualTo(machine);
    String prefix = "/META-INF/native/libnetty_";
    assertThat(machine(prefix + "transport_native_epoll_" + netty + ".so")).isEqualTo(machine);
    assertThat(machine(prefix + "tcnative_linux_" + netty + ".so")).isEqualTo(machine);
  }

  @Test
  void whatIsOursInCCompilesForAarch64() throws Exception {
    Path calls = compile("linux", "linux", "libqtfscall.c", "libqtfscall.so");
    for (Path made : List.of(calls, compileLibrary(), compileLauncher())) {
      try (InputStream in = Files.newInputStream(made)) {
        assertThat(Elf.machine(in)).isEqualTo(AARCH64);
      }
    }
  }

  /** In an emulator, with the daemons of this machine: the bytes between them are the same. */
  @Test
  void aProgramForAarch64IsLedToTheOtherHost() throws Exception {
    Programs.need(EMULATOR, "qemu-user-static");
    Programs.need("socat", "socat");
    String library = compileLibrary().toString();
    Path client = directory.resolve("client");
    Command.succeed("exec " + CC + " -o \"$1\" \"$2\"", client, Programs.script("client.c"));
    try (TwoHosts hosts = TwoHosts.up()) {
      String socket = "/run/echo.sock";
      hosts.startServer(
          Host.B, List.of("socat", "UNIX-LISTEN:" + socket, "SYSTEM:cat; uname -n"), socket);
      Running.Result result =
          emulate(hosts, "-L", SYSROOT, "-E", "LD_PRELOAD=" + library, client.toString(), socket);
      assertThat(result.output()).as("%s", result).isEqualTo("hello\nhostB\n");
    }
  }

  @Test
  void theLauncherForAarch64HandsItsCallToTheAgent() throws Exception {
    Programs.need(EMULATOR, "qemu-user-static");
    String launcher = compileLauncher().toString();
    try (TwoHosts hosts = TwoHosts.up()) {
      hosts.startAgent();
      Running.Result result =
          emulate(hosts, "-E", "REXEC_AGENT=only", launcher, "/bin/sh", "-c", "uname -n; exit 9");
      assertThat(result.output()).as("%s", result).isEqualTo("hostB\n");
      assertThat(result.code()).isEqualTo(9);
    }
  }

  /** Runs a program for aarch64 on A, which sees the temporary directory as we do. */
  private static Running.Result emulate(TwoHosts hosts, String... words) throws Exception {
    List<String> command = new ArrayList<>(List.of(EMULATOR));
    command.addAll(List.of(words));
    return hosts.start(Host.A, command).result();
  }

  private Path compileLibrary() throws Exception {
    return compile("linux", "udsproxy", "libudsproxy.c", "libudsproxy.so");
  }

  private Path compileLauncher() throws Exception {
    return compile("rexec", "rexec", "rexec.c", "rexec");
  }

  /** Compiles by the script of one module what is of another, or of itself. */
  private Path compile(String builder, String module, String source, String name) throws Exception {
    Programs.need(CC, "gcc-aarch64-linux-gnu libc6-dev-arm64-cross");
    Path made = directory.resolve(name);
    Command.succeed(
        "CC=" + CC + " exec \"$1/build\" \"$2/$3\" \"$4\"",
        sources(builder),
        sources(module),
        source,
        made);
    return made;
  }

  private static Path sources(String module) {
    return Path.of("..", module, "src/main/c").toAbsolutePath().normalize();
  }

  private static int machine(String resource) throws IOException {
    try (InputStream in = BothArchitecturesIT.class.getResourceAsStream(resource)) {
      return Elf.machine(Objects.requireNonNull(in, resource));
    }
  }
}
