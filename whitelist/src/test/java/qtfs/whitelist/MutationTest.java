package qtfs.whitelist;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** W7, in small: whatever bytes a file has, the answer is a whitelist or a WhitelistException. */
final class MutationTest {
  private static final int ROUNDS = 10_000;
  private static final byte[] QTFS =
      """
      # what the DPU may do
      [Open]
      Path=/home/VMs;/var/lib/libvirt/qemu;/a\\;b\\s;
      Unknown[de]=1

      [Kill]
      Path = qemu-kvm;CPU 0/KVM
      [Udsconnect]
      Path=/run/libvirt;/é
      [Udsaccept]
      Path=/run/x/;/run/docker.sock
      """
          .getBytes(UTF_8);
  private static final byte[] REXEC = "/bin/true\r\n\n/opt/é b\nkill\n".getBytes(UTF_8);

  private int taken;
  private int refused;

  private interface Parser {
    void parse(byte[] bytes) throws WhitelistException;
  }

  @Test
  void qtfs() {
    run(QTFS, bytes -> holdsItsPromises(QtfsWhitelist.parse(bytes, new Problems(Whitelists.FILE))));
  }

  @Test
  void rexec() {
    run(
        REXEC,
        bytes -> {
          RexecWhitelist whitelist = RexecWhitelist.parse(bytes, new Problems(Whitelists.FILE));
          assertThat(whitelist.size()).isPositive();
          assertThat(whitelist.allows("")).isFalse();
        });
  }

  private static void holdsItsPromises(QtfsWhitelist whitelist) {
    for (Group group : Group.values()) {
      for (String entry : whitelist.entries(group)) {
        assertThat(whitelist.matchingEntry(group, entry).isPresent() || entry.contains("/.."))
            .isTrue();
        assertThat(mayBeRelative(group) || entry.startsWith("/")).isTrue();
      }
      assertThat(whitelist.allows(group, "")).isFalse();
    }
  }

  private void run(byte[] valid, Parser parser) {
    Random random = new Random(20261122);
    for (int round = 0; round < ROUNDS; round++) {
      try {
        parser.parse(mutated(valid, random));
        taken++;
      } catch (WhitelistException e) {
        assertThat(e.problems()).isNotEmpty();
        assertThat(e.getMessage()).isNotBlank();
        refused++;
      }
    }
    // Mutations that are all of one kind would prove little.
    assertThat(taken).isGreaterThan(ROUNDS / 20);
    assertThat(refused).isGreaterThan(ROUNDS / 20);
  }

  private static byte[] mutated(byte[] valid, Random random) {
    byte[] bytes = valid.clone();
    for (int edits = random.nextInt(5); edits >= 0; edits--) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(4)) {
        case 0 -> bytes[at] = (byte) random.nextInt(256);
        case 1 -> bytes[at] = bytes[random.nextInt(bytes.length)];
        case 2 -> bytes = Arrays.copyOf(bytes, Math.max(1, at));
        default -> bytes = doubled(bytes, at, random.nextInt(bytes.length - at + 1));
      }
    }
    return bytes;
  }

  /** The bytes with some of them twice. */
  private static byte[] doubled(byte[] bytes, int at, int length) {
    byte[] longer = Arrays.copyOf(bytes, bytes.length + length);
    System.arraycopy(bytes, at, longer, at + length, bytes.length - at);
    return longer;
  }

  /** A comm is no path, and applications connect to relative sockets too. */
  private static boolean mayBeRelative(Group group) {
    return group == Group.KILL || group == Group.UDSCONNECT;
  }
}
