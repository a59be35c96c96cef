package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What an image for x86-64 or aarch64 is made of is there for both. The image itself, with its Java
 * runtime and AOT caches, is made on a machine of its architecture only.
 */
final class BothArchitecturesIT {
  private static final int X86_64 = 62; // EM_X86_64
  private static final int AARCH64 = 183; // EM_AARCH64

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
  void preloadLibraryCompilesForAarch64() throws Exception {
    Programs.need("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu libc6-dev-arm64-cross");
    Path source = Path.of("../udsproxy/src/main/c").toAbsolutePath().normalize();
    Path library = directory.resolve("libudsproxy.so");
    Running.Result result =
        Command.sh(
            "CC=aarch64-linux-gnu-gcc exec \"$1/build\" \"$1/libudsproxy.c\" \"$2\"",
            source,
            library);
    assertThat(result.code()).as("%s", result).isZero();
    try (InputStream in = Files.newInputStream(library)) {
      assertThat(Elf.machine(in)).isEqualTo(AARCH64);
    }
  }

  private static int machine(String resource) throws IOException {
    try (InputStream in = BothArchitecturesIT.class.getResourceAsStream(resource)) {
      return Elf.machine(Objects.requireNonNull(in, resource));
    }
  }
}
