package qtfs.whitelist;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

final class RuleTest {
  private static QtfsWhitelist with(Group group, String entry) {
    return Whitelists.parse("[" + group.title() + "]\nPath=" + EntryList.escape(entry));
  }

  @ParameterizedTest
  @EnumSource(
      value = Group.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"KILL", "UDSCONNECT", "UDSACCEPT"})
  void aTreeAllowsItselfAndWhatIsBelow(Group group) {
    QtfsWhitelist whitelist = with(group, "/var/lib");
    assertThat(whitelist.allows(group, "/var/lib")).isTrue();
    assertThat(whitelist.allows(group, "/var/lib/x")).isTrue();
    assertThat(whitelist.allows(group, "/var/library")).isFalse();
    assertThat(whitelist.allows(group, "/var/lib/../../etc/shadow")).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          /a/b,   /a/b,          true
          /a/b,   /a/b/,         true
          /a/b,   /a/b/c,        true
          /a/b,   /a/b//c,       true
          /a/b,   /a,            false
          /a/b,   /a/,           false
          /a/b,   /a/bc,         false
          /a/b,   /x/a/b,        false
          /a/b,   a/b,           false
          /a/b,   '',            false
          /a/b,   /A/B,          false
          /a/b,   //a/b,         false
          /a/b/,  /a/b/,         true
          /a/b/,  /a/b/c,        true
          /a/b/,  /a/b,          false
          /,      /,             true
          /,      /etc/passwd,   true
          /,      etc/passwd,    false
          /a,     /a/..,         false
          /a,     /a/../b,       false
          /a,     /a/b/../c,     false
          /,      /..,           false
          /a,     /a/..b,        true
          /a,     /a/...,        true
          /a,     /a/b..,        true
          /a,     /a/b../c,      true
          /a/..,  /a/..,         false
          /a/..,  /a/../b,       false
          """)
  void tree(String entry, String path, boolean allowed) {
    assertThat(with(Group.OPEN, entry).allows(Group.OPEN, path)).isEqualTo(allowed);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          qemu-kvm,        qemu-kvm,         true
          qemu-kvm,        qemu-kv,          false
          qemu-kvm,        qemu-kvm2,        false
          qemu-kvm,        QEMU-KVM,         false
          qemu,            qemu/x,           false
          CPU 0/KVM,       CPU 0/KVM,        true
          a..b,            a..b,             true
          /..,             /..,              true
          """)
  void comm(String entry, String comm, boolean allowed) {
    assertThat(with(Group.KILL, entry).allows(Group.KILL, comm)).isEqualTo(allowed);
  }

  // Recorded from the kernel module's connect hook, but for the last rows.
  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          /var/run/rexec,  /var/run/rexec/a.sock,   true
          /var/run/rexec,  /var/run/rexec,          true
          /var/run/rexec,  /var/run/rexecX/a.sock,  false
          /var/run/rexec,  /run/rexec/a.sock,       false
          /var/run/rexec,  /var/run/other/a.sock,   false
          /srv/t/,         /srv/t/a.sock,           false
          /srv/u/u.sock,   /srv/u/u.sock,           true
          /,               /srv/v.sock,             false
          /,               //srv/v.sock,            true
          /srv/t/,         /srv/t/,                 true
          /srv/t/,         /srv/t//a.sock,          true
          /srv/t,          /srv/t/../u/a.sock,      true
          """)
  void socket(String entry, String path, boolean allowed) {
    assertThat(with(Group.UDSCONNECT, entry).allows(Group.UDSCONNECT, path)).isEqualTo(allowed);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          /run/x,     /run/x,               true
          /run/x,     /run/x/a.sock,        true
          /run/x,     /run/xy,              false
          /run/x/,    /run/x/a.sock,        true
          /run/x/,    /run/x,               true
          /run/x///,  /run/x/a.sock,        true
          /run/x/,    /run/xy,              false
          /run/x,     /run/x/../docker.sock,false
          /run/x,     /run/x/..,            false
          /run/x,     /run/x/..a.sock,      true
          /run/x,     /run//x/a.sock,       false
          /run/x,     run/x/a.sock,         false
          """)
  void peerSocket(String entry, String path, boolean allowed) {
    assertThat(with(Group.UDSACCEPT, entry).allows(Group.UDSACCEPT, path)).isEqualTo(allowed);
  }

  @ParameterizedTest
  @EnumSource(Group.class)
  void whatNoSystemCallSeesNeverMatches(Group group) {
    QtfsWhitelist whitelist = with(group, "/a");
    assertThat(whitelist.allows(group, "/a")).isTrue();
    assertThat(whitelist.allows(group, "/a\0")).isFalse();
    assertThat(whitelist.allows(group, "/a/b\0/../../etc/shadow")).isFalse();
  }

  @ParameterizedTest
  @EnumSource(Group.class)
  void oneGroupSaysNothingAboutAnother(Group group) {
    QtfsWhitelist whitelist = with(group, "/a");
    assertThat(Stream.of(Group.values()).filter(other -> whitelist.allows(other, "/a")))
        .containsExactly(group);
  }

  @Test
  void tellsTheFirstEntryThatMatches() {
    QtfsWhitelist whitelist = Whitelists.parse("[Udsaccept]\nPath=/run/b;/run/a/;/run/a/c\n");
    assertThat(whitelist.matchingEntry(Group.UDSACCEPT, "/run/a/c")).contains("/run/a");
    assertThat(whitelist.matchingEntry(Group.UDSACCEPT, "/run/d")).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(Group.class)
  void theLineOfARefusalAllowsThePath(Group group) {
    for (String path : List.of("/a", "/a b", " ", "/a;b", "/a\\b", "/é/\t\n", "/a\\;")) {
      if (group != Group.KILL && !path.startsWith("/")) {
        continue;
      }
      String line = group.line(path);
      QtfsWhitelist whitelist = Whitelists.parse(line.replace("] ", "]\n"));
      assertThat(whitelist.allows(group, path)).as(line).isTrue();
      assertThat(whitelist.entries(group)).containsExactly(path);
    }
  }

  /** Recorded on the module: an entry {@code a.sock} matches a connect to {@code a.sock}. */
  @Test
  void aRelativeSocketMatchesItsOwnText() {
    QtfsWhitelist whitelist = with(Group.UDSCONNECT, "a.sock");
    assertThat(whitelist.allows(Group.UDSCONNECT, "a.sock")).isTrue();
    assertThat(whitelist.allows(Group.UDSCONNECT, "/a.sock")).isFalse();
  }
}
