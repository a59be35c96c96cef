package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.concurrent.DefaultEventExecutor;
import io.netty.util.concurrent.EventExecutor;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import qtfs.testing.Await;

final class FloodGateTest {
  private final EventExecutor timer = new DefaultEventExecutor();
  private final List<Long> told = new CopyOnWriteArrayList<>();

  @AfterEach
  void stop() {
    timer.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }

  private int passing(FloodGate gate, int events) {
    int passed = 0;
    for (int i = 0; i < events; i++) {
      passed += gate.pass() ? 1 : 0;
    }
    return passed;
  }

  @Test
  void letsSoManyThroughAndTellsHowManyItKeptBack() throws Exception {
    FloodGate gate = new FloodGate(timer, 10, Duration.ofSeconds(1), told::add);
    assertThat(passing(gate, 5)).isEqualTo(5);
    assertThat(passing(gate, 1000)).isEqualTo(5);
    assertThat(told).isEmpty();
    Await.until("the period ends", () -> !told.isEmpty());
    assertThat(told).containsExactly(995L);
    assertThat(passing(gate, 11)).isEqualTo(10);
  }

  @Test
  void tellsNothingWhereNothingWasKeptBack() {
    FloodGate gate = new FloodGate(timer, 10, Duration.ofHours(1), told::add);
    assertThat(passing(gate, 10)).isEqualTo(10);
    gate.tell();
    assertThat(told).isEmpty();
  }

  @Test
  void tellsAtTheEndWhatIsLeft() {
    FloodGate gate = new FloodGate(timer, 1, Duration.ofHours(1), told::add);
    assertThat(passing(gate, 3)).isEqualTo(1);
    gate.tell();
    gate.tell();
    assertThat(told).containsExactly(2L);
  }
}
