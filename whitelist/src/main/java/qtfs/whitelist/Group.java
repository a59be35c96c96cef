package qtfs.whitelist;

import java.util.Locale;
import java.util.Optional;

/**
 * A group of {@code /etc/qtfs/whitelist}: what its entries allow.
 *
 * <p>All but {@link #UDSACCEPT} are the kernel modules' own, in the order of their numbers.
 */
public enum Group {
  OPEN(Rule.TREE),
  WRITE(Rule.TREE),
  READ(Rule.TREE),
  READDIR(Rule.TREE),
  MKDIR(Rule.TREE),
  RMDIR(Rule.TREE),
  CREATE(Rule.TREE),
  UNLINK(Rule.TREE),
  RENAME(Rule.TREE),
  SETATTR(Rule.TREE),
  SETXATTR(Rule.TREE),
  MOUNT(Rule.TREE),
  /** Tasks, by comm, that a peer may signal. */
  KILL(Rule.COMM),
  /** Sockets that processes of this host reach on the peer: what leaves. */
  UDSCONNECT(Rule.SOCKET),
  /** Sockets of this host that the peer may reach: what enters. The C engine ignores this group. */
  UDSACCEPT(Rule.PEER_SOCKET);

  private final String title;
  private final Rule rule;

  Group(Rule rule) {
    this.title = name().charAt(0) + name().substring(1).toLowerCase(Locale.ROOT);
    this.rule = rule;
  }

  /** The name as the C engine takes it, such as {@code Udsconnect}. */
  public String title() {
    return title;
  }

  /**
   * The line that would allow a path, for the log of a refusal: {@code [Udsaccept]
   * Path=/run/x.sock}.
   */
  public String line(String path) {
    return "[" + title + "] Path=" + EntryList.escape(path);
  }

  Rule rule() {
    return rule;
  }

  /** Whether an entry, as the kernel modules hold it, allows a path; for {@link #KILL}, a comm. */
  public boolean allows(String entry, String path) {
    return path.indexOf('\0') < 0 && rule.matches(entry, path);
  }

  /** What makes an entry unfit for this group, in words that follow it; empty if nothing does. */
  public Optional<String> fault(String entry) {
    return rule.fault(entry);
  }

  /** When an entry allows something, in a sentence. */
  public String ruleInWords() {
    return rule.inWords();
  }

  /** The group of that name in any case; empty if there is none. */
  public static Optional<Group> named(String name) {
    for (Group group : values()) {
      if (group.title.equalsIgnoreCase(name)) {
        return Optional.of(group);
      }
    }
    return Optional.empty();
  }
}
