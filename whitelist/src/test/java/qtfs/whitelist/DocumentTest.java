package qtfs.whitelist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The examples of docs/whitelist.md are whitelists, and allow what the text says. */
final class DocumentTest {
  private static final Pattern BLOCK = Pattern.compile("^```\n(.*?)^```$", flags());

  private static int flags() {
    return Pattern.MULTILINE | Pattern.DOTALL;
  }

  /** The blocks that match. */
  private static List<String> blocks(String regex) throws IOException {
    return BLOCK
        .matcher(Files.readString(Path.of("../docs/whitelist.md")))
        .results()
        .map(MatchResult::group)
        .map(block -> block.substring(4, block.length() - 3))
        .filter(block -> Pattern.compile(regex, flags()).matcher(block).find())
        .toList();
  }

  @Test
  void keyFiles() throws IOException {
    List<QtfsWhitelist> examples = blocks("^\\[").stream().map(Whitelists::parse).toList();
    assertThat(examples)
        .hasSize(2)
        .allMatch(
            example ->
                example.allows(Group.UDSACCEPT, "/var/lib/libvirt/qemu/domain-1-NAME/monitor.sock"))
        .noneMatch(example -> example.allows(Group.UDSACCEPT, "/run/docker.sock"))
        .noneMatch(example -> example.allows(Group.OPEN, "/etc/shadow"));
    assertThat(examples.getLast().entries(Group.MOUNT)).isNotEmpty();
  }

  @Test
  void programs() throws IOException {
    assertThat(blocks("\\A/usr"))
        .hasSize(2)
        .map(Whitelists::parseRexec)
        .allMatch(example -> example.allows("/usr/bin/qemu-kvm"))
        .noneMatch(example -> example.allows("/bin/sh"));
  }
}
