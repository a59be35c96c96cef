package qtfs.rexec;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import qtfs.linux.LinuxException;
import qtfs.linux.Signals;
import qtfs.testing.Await;

final class ClientSignalsTest {
  private final List<String> done = new CopyOnWriteArrayList<>();
  private final ClientSignals signals =
      new ClientSignals(
          new ClientSignals.Deeds() {
            @Override
            public void exit(int code) {
              done.add("exit " + code);
            }

            @Override
            public void stop() {
              done.add("stop");
            }
          });

  private void take(Signals.Name signal) {
    try {
      signals.take(signal);
    } catch (LinuxException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void theyAreTheCallersWithoutAProgram() throws Exception {
    take(Signals.Name.TSTP);
    signals.passTo(signal -> done.add("program " + signal), () -> {});
    take(Signals.Name.USR1);
    signals.keep();
    take(Signals.Name.USR2);
    assertThat(done).containsExactly("stop", "program USR1", "exit 140");
  }

  @Test
  void oneThatComesAsTheProgramStartsIsTheProgramsToo() throws Exception {
    Thread meanwhile = new Thread(() -> take(Signals.Name.USR1));
    signals.passTo(
        signal -> done.add("program " + signal),
        () -> {
          meanwhile.start();
          Await.until("it waits", () -> meanwhile.getState() == Thread.State.BLOCKED);
        });
    meanwhile.join();
    assertThat(done).containsExactly("program USR1");
  }
}
