package qtfs.linux;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import qtfs.testing.Await;

final class SignalsTest {
  @Test
  void everyArrivalRunsTheTask() throws Exception {
    AtomicInteger arrived = new AtomicInteger();
    Signals.on(Signals.Name.HUP, arrived::incrementAndGet);
    for (int expected = 1; expected <= 2; expected++) {
      int wanted = expected;
      int status =
          new ProcessBuilder("kill", "-HUP", Integer.toString(ProcessAttributes.pid()))
              .start()
              .waitFor();
      Await.until("every signal has arrived", () -> status == 0 && arrived.get() == wanted);
    }
  }
}
