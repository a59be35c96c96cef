package qtfs.rexec;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.Tuple;
import qtfs.linux.Signals;

/**
 * Whatever a program, its caller and the network do, in whatever order: every byte arrives in its
 * order, there is one end, and it is the right one. {@code -Dqtfs.model.tries} says how often.
 */
final class SessionModelTest {
  private static final ThreadLocal<ModelledServer> SERVER =
      ThreadLocal.withInitial(ModelledServer::new);

  @Property(shrinking = ShrinkingMode.FULL, edgeCases = EdgeCasesMode.NONE)
  void aCallIsAProgramRunHere(@ForAll("steps") List<ModelStep> steps) throws Exception {
    SERVER.get().run(steps);
  }

  @Provide
  Arbitrary<List<ModelStep>> steps() {
    return Arbitraries.<ModelStep>frequencyOf(
            Tuple.of(6, sizes(60_000).map(ModelStep.Input::new)),
            Tuple.of(6, sizes(60_000).map(ModelStep.Take::new)),
            Tuple.of(1, Arbitraries.just(new ModelStep.EndInput())),
            Tuple.of(4, sizes(200_000).map(ModelStep.Output::new)),
            Tuple.of(3, sizes(200_000).map(ModelStep.Complaint::new)),
            Tuple.of(2, trappedSignals()),
            Tuple.of(2, ends()))
        .list()
        .ofMaxSize(15);
  }

  private static Arbitrary<Integer> sizes(int most) {
    return Arbitraries.oneOf(
        Arbitraries.integers().between(0, 20), Arbitraries.integers().between(0, most));
  }

  private static Arbitrary<ModelStep> trappedSignals() {
    return Arbitraries.of(
            Signals.Name.HUP,
            Signals.Name.INT,
            Signals.Name.QUIT,
            Signals.Name.USR1,
            Signals.Name.USR2,
            Signals.Name.WINCH)
        .map(ModelStep.Trapped::new);
  }

  private static Arbitrary<ModelStep> ends() {
    return Arbitraries.oneOf(
        Arbitraries.integers().between(0, 255).map(ModelStep.Exit::new),
        Arbitraries.of(9, 13, 14, 15).map(ModelStep.Killed::new),
        Arbitraries.of(
            new ModelStep.Ended(),
            new ModelStep.Cut(),
            new ModelStep.GarbageToClient(),
            new ModelStep.GarbageToServer()));
  }
}
