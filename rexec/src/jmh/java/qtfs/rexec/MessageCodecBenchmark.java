package qtfs.rexec;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** What the messages of a call of rexec cost: to write, and to check and read. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class MessageCodecBenchmark {
  private final Message exec =
      new Message.Exec(
          List.of("/usr/bin/qemu-img", "info", "--output", "json", "/var/lib/images/disk.qcow2"),
          "{\"Files\": []}");
  private final Message pidMap = new Message.PidMap(4711, Message.PidMap.TELLS_EVERY_END);
  private final byte[] execBytes = exec.encode();
  private final byte[] pidMapBytes = pidMap.encode();

  @Benchmark
  public byte[] writeExec() {
    return exec.encode();
  }

  @Benchmark
  public Object readExec() throws ProtocolException {
    return read(execBytes);
  }

  @Benchmark
  public byte[] writePidMap() {
    return pidMap.encode();
  }

  @Benchmark
  public Object readPidMap() throws ProtocolException {
    return read(pidMapBytes);
  }

  private static Message read(byte[] bytes) throws ProtocolException {
    byte[] header = Arrays.copyOf(bytes, MessageCodec.HEADER_LENGTH);
    int length = MessageCodec.dataLength(header);
    return MessageCodec.decode(
        header, Arrays.copyOfRange(bytes, header.length, header.length + length));
  }
}
