package qtfs.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import qtfs.dist.TwoHosts.Host;

/** Regular files that rexec inherits are open in the program, at the same number and offset. */
final class InheritedFilesIT {
  @AutoClose private static TwoHosts hosts;

  @BeforeAll
  static void up() throws Exception {
    hosts = TwoHosts.up();
  }

  @Test
  void readsFromWhereTheClientStood() throws Exception {
    Path file = Files.writeString(hosts.shared().resolve("inherited"), "first\nsecond\n");
    Running.Result result =
        hosts.sh(
            Host.A,
            "exec 7<\"$1\"; read -r _ <&7; \"$REXEC\" /bin/sh -c 'cat <&7; ls /proc/self/fd'",
            file.toString());
    assertThat(result.stderr()).as("%s", result).isEmpty();
    // 3 is the directory that ls itself reads.
    assertThat(result.output().lines()).containsExactly("second", "0", "1", "2", "3", "7");
  }

  @Test
  void appendsToAFileOpenForAppending() throws Exception {
    Path file = Files.writeString(hosts.shared().resolve("log"), "before\n");
    hosts.sh(
        Host.A, "\"$REXEC\" /bin/sh -c 'echo from the program >&5' 5>>\"$1\"", file.toString());
    assertThat(file).hasContent("before\nfrom the program\n");
  }
}
