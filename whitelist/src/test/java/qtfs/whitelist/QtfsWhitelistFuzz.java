package qtfs.whitelist;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Fuzz target: whatever a file like {@code /etc/qtfs/whitelist} holds, it is a whitelist that keeps
 * its promises, and written out and read again the same, or all that is wrong with it is told in
 * lines.
 */
public final class QtfsWhitelistFuzz {
  private QtfsWhitelistFuzz() {}

  /** Called by the fuzzer, and for each kept input by {@link FuzzCorpusTest}. */
  public static void fuzzerTestOneInput(byte[] input) throws WhitelistException {
    List<Lint.Finding> findings = Lint.of(Whitelists.FILE, input, new Problems(Whitelists.FILE));
    boolean faulty =
        findings.stream().anyMatch(finding -> finding.severity() == Lint.Severity.ERROR);
    QtfsWhitelist whitelist;
    try {
      whitelist = QtfsWhitelist.parse(input, new Problems(Whitelists.FILE));
    } catch (WhitelistException e) {
      assertThat(faulty).isTrue();
      FuzzedText.assertIsInLines(e);
      return;
    }
    assertThat(faulty).isFalse();
    for (Group group : Group.values()) {
      assertKeepsItsPromises(whitelist, group);
    }
    assertThat(entries(again(whitelist))).isEqualTo(entries(whitelist));
  }

  private static void assertKeepsItsPromises(QtfsWhitelist whitelist, Group group) {
    List<String> entries = whitelist.entries(group);
    if (entries.size() > QtfsWhitelist.MOST_ENTRIES || whitelist.allows(group, "")) {
      throw new AssertionError(group + " " + entries);
    }
    for (String entry : entries) {
      boolean allowed = whitelist.allows(group, entry);
      if (entry.isEmpty() || (!allowed && !entry.contains("/..")) || !mayBegin(group, entry)) {
        throw new AssertionError(group + " " + Visible.quote(entry));
      }
    }
  }

  /** A comm is no path, and applications connect to relative sockets too. */
  private static boolean mayBegin(Group group, String entry) {
    return group == Group.KILL || group == Group.UDSCONNECT || entry.startsWith("/");
  }

  private static QtfsWhitelist again(QtfsWhitelist whitelist) throws WhitelistException {
    byte[] text = QtfsWhitelist.text(entries(whitelist)).getBytes(UTF_8);
    return QtfsWhitelist.parse(text, new Problems(Whitelists.FILE));
  }

  private static Map<Group, List<String>> entries(QtfsWhitelist whitelist) {
    Map<Group, List<String>> entries = new EnumMap<>(Group.class);
    for (Group group : Group.values()) {
      entries.put(group, new ArrayList<>(whitelist.entries(group)));
    }
    return entries;
  }
}
