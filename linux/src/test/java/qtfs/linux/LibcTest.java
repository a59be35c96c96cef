package qtfs.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class LibcTest {
  private static final int EBADF = 9;

  @Test
  void aFailureIsItsErrnoNegated() {
    assertThat(Libc.call(Libc.function("close"), -1)).isEqualTo(-EBADF);
    assertThat(Libc.callLong(Libc.function("lseek"), -1, 0, 0)).isEqualTo(-EBADF);
  }

  @Test
  void sixArgumentsArriveInOrder() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocate(32);
      // snprintf is variadic, too.
      int length =
          Libc.call(
              Libc.function("snprintf"),
              text.address(),
              text.byteSize(),
              Libc.cString(arena, "%ld %ld %ld").address(),
              -3,
              1L << 40,
              5);
      assertThat(text.getString(0)).isEqualTo("-3 1099511627776 5").hasSize(length);
    }
  }

  @Test
  void aFunctionThatIsNotThereIsNamed() {
    assertThat(Libc.optionalFunction("no_such_function")).isEmpty();
    assertThatExceptionOfType(UnsatisfiedLinkError.class)
        .isThrownBy(() -> Libc.function("no_such_function"))
        .withMessage("the C library has no function no_such_function");
  }

  @Test
  void bothWaysOfCallingFindTheSameFunctionAndErrno() {
    MemorySegment linked = LinkedCall.find("close").orElseThrow();
    assertThat(Libc.function("close")).isEqualTo(linked);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment error = arena.allocate(4);
      assertThat((int) LinkedCall.call(linked, error, -1, 0, 0, 0, 0, 0)).isEqualTo(-1);
      assertThat(error.get(JAVA_INT, 0)).isEqualTo(EBADF);
    }
  }

  /** Else the tests of this module would not be what they are here for. */
  @Test
  void theLibraryIsUsedWhereItWasBuilt() {
    Path library = Path.of(System.getProperty("java.library.path"), "libqtfscall.so");
    assertThat(NativeCall.load()).isEqualTo(Files.exists(library));
  }
}
