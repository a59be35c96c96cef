package qtfs.udsproxy;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.Tuple;
import qtfs.linux.UnixSocket;
import qtfs.udsproxy.ModelStep.Side;

/**
 * Whatever two applications, the network and a forger do, in whatever order: each application
 * receives what the other has sent, each byte and descriptor in its order, then the end, and no end
 * before. {@code -Dqtfs.model.tries} says how often.
 */
final class SessionModelTest {
  private static final ThreadLocal<FuzzedProxy> PROXY = ThreadLocal.withInitial(FuzzedProxy::new);

  @Property(shrinking = ShrinkingMode.FULL, edgeCases = EdgeCasesMode.NONE)
  void aSessionIsASocketBetweenTwoHosts(
      @ForAll Dialect dialect,
      @ForAll("types") UnixSocket.Type type,
      @ForAll("steps") List<ModelStep> steps)
      throws Exception {
    ModelledSession.run(PROXY.get(), dialect, type, steps);
  }

  /** In v1 it became a file that could be read. */
  @Example
  void aHandleOfAFileStaysBehind() throws Exception {
    for (Dialect dialect : Dialect.values()) {
      ModelledSession.run(
          PROXY.get(),
          dialect,
          UnixSocket.Type.STREAM,
          List.of(new ModelStep.Send(Side.A, 1, List.of(ModelStep.Passed.HANDLE))));
    }
  }

  @Provide
  Arbitrary<UnixSocket.Type> types() {
    return Arbitraries.of(UnixSocket.Type.STREAM, UnixSocket.Type.SEQPACKET);
  }

  @Provide
  Arbitrary<List<ModelStep>> steps() {
    Arbitrary<Side> side = Arbitraries.of(Side.class);
    return Arbitraries.<ModelStep>frequencyOf(
            Tuple.of(8, Combinators.combine(side, sizes(), noFds()).as(ModelStep.Send::new)),
            Tuple.of(4, Combinators.combine(side, sizes(), fds()).as(ModelStep.Send::new)),
            Tuple.of(4, Combinators.combine(side, sizes()).as(ModelStep.Read::new)),
            Tuple.of(3, side.map(ModelStep.Drain::new)),
            Tuple.of(6, Combinators.combine(side, sizes()).as(ModelStep.Carry::new)),
            Tuple.of(4, Arbitraries.just(new ModelStep.Flow())),
            Tuple.of(2, side.map(ModelStep.End::new)),
            Tuple.of(1, side.map(ModelStep.Close::new)),
            Tuple.of(1, Arbitraries.just(new ModelStep.Cut())),
            Tuple.of(1, garbage()))
        .list()
        .ofMaxSize(40);
  }

  private static Arbitrary<Integer> sizes() {
    return Arbitraries.oneOf(
        Arbitraries.integers().between(0, 20),
        Arbitraries.integers().between(0, 10_000),
        Arbitraries.integers().between(0, ModelledApplication.MOST));
  }

  private static Arbitrary<List<ModelStep.Passed>> noFds() {
    return Arbitraries.just(List.of());
  }

  private static Arbitrary<List<ModelStep.Passed>> fds() {
    return Arbitraries.of(ModelStep.Passed.class).list().ofMinSize(1).ofMaxSize(5);
  }

  /** Unknown, reserved or of the wrong length, in either dialect. */
  private static Arbitrary<ModelStep> garbage() {
    return Combinators.combine(
            Arbitraries.of(Side.class),
            Arbitraries.of(0, 0xa5a4, 0xa5a7, 0xa5a9, 0xa5be, Frame.NORMAL, Frame.PAYLOAD),
            Arbitraries.of(-1, Integer.MIN_VALUE, Integer.MAX_VALUE, 65537))
        .as(ModelStep.Garbage::new);
  }
}
