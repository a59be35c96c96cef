package qtfs.linux;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NotificationTest {
  @TempDir Path dir;

  static String receive(Fd manager) {
    assertThat(Poll.readable(Duration.ofSeconds(10), manager)[0]).isEqualTo(Poll.IN);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(4096);
      long length = manager.read(buffer, 4096);
      return new String(buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE), UTF_8);
    }
  }

  private static void expectAll(Notification notification, Fd manager) {
    long before = System.nanoTime() / 1000;
    notification.ready("serving");
    notification.reloading();
    notification.stopping();
    assertThat(receive(manager)).isEqualTo("READY=1\nSTATUS=serving");
    String[] reloading = receive(manager).split("\n", -1);
    assertThat(reloading[0]).isEqualTo("RELOADING=1");
    assertThat(reloading[1]).startsWith("MONOTONIC_USEC=");
    assertThat(Long.parseLong(reloading[1].substring(15)))
        .isBetween(before, System.nanoTime() / 1000);
    assertThat(receive(manager)).isEqualTo("STOPPING=1");
  }

  @Test
  void tellsTheManagerAtAPath() throws IOException {
    String path = dir.resolve("notify").toString();
    try (Fd manager = UnixSocket.open(UnixSocket.Type.DGRAM, true)) {
      assertThat(UnixSocket.bindOwnerOnly(manager, path)).isZero();
      expectAll(new Notification(path), manager);
    }
  }

  @Test
  void tellsTheManagerAtAnAbstractName() throws IOException {
    String name = "qtfs-notification-test-" + ProcessAttributes.pid();
    try (Fd manager = UnixSocket.open(UnixSocket.Type.DGRAM, true)) {
      assertThat(UnixSocket.bindAbstract(manager, name)).isZero();
      expectAll(new Notification("@" + name), manager);
    }
  }

  @Test
  void aManagerThatIsNotThereHindersNobody() {
    assertThatCode(() -> new Notification(dir.resolve("nobody").toString()).stopping())
        .doesNotThrowAnyException();
    assertThatCode(() -> new Notification(null).stopping()).doesNotThrowAnyException();
  }
}
