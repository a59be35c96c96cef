package qtfs.whitelist;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** What a decision costs where the whitelist is as long as it may be. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class WhitelistBenchmark {
  private final QtfsWhitelist sockets;
  private final RexecWhitelist programs;

  public WhitelistBenchmark() {
    Problems problems = new Problems(Path.of("whitelist"));
    String group = "[Udsaccept]\nPath=";
    try {
      sockets =
          QtfsWhitelist.parse(
              bytes(group, QtfsWhitelist.MOST_ENTRIES, "/run/app/s%d.sock", ";"), problems);
      programs =
          RexecWhitelist.parse(
              bytes("", RexecWhitelist.MOST_ENTRIES, "/usr/bin/program-%d", "\n"), problems);
    } catch (WhitelistException e) {
      throw new AssertionError(e); // a constructor that JMH calls may throw nothing checked
    }
  }

  private static byte[] bytes(String head, int count, String format, String separator) {
    return IntStream.range(0, count)
        .mapToObj(i -> String.format(format, i))
        .collect(Collectors.joining(separator, head, ""))
        .getBytes(UTF_8);
  }

  @Benchmark
  public boolean firstSocketOf64() {
    return sockets.allows(Group.UDSACCEPT, "/run/app/s0.sock");
  }

  @Benchmark
  public boolean lastSocketOf64() {
    return sockets.allows(Group.UDSACCEPT, "/run/app/s63.sock");
  }

  @Benchmark
  public boolean noSocketOf64() {
    return sockets.allows(Group.UDSACCEPT, "/run/app/other.sock");
  }

  @Benchmark
  public boolean programOf256() {
    return programs.allows("/usr/bin/program-255");
  }

  @Benchmark
  public boolean noProgramOf256() {
    return programs.allows("/usr/bin/other");
  }
}
