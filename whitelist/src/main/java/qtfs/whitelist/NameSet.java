package qtfs.whitelist;

import java.util.Set;

/**
 * Names that a file lists: each as it is, or all that begin with what stands before a final {@code
 * *}.
 */
public record NameSet(Set<String> written) {
  static final NameSet EMPTY = new NameSet(Set.of());

  public NameSet {
    written = Set.copyOf(written);
  }

  /** Whether the name is listed, or begins as one with a {@code *} does. */
  public boolean contains(String name) {
    return names(name)
        || written.stream()
            .anyMatch(
                entry ->
                    entry.endsWith("*") && name.startsWith(entry.substring(0, entry.length() - 1)));
  }

  /** Whether the name itself is listed: what is dangerous is never meant by a {@code *}. */
  public boolean names(String name) {
    return written.contains(name) && !name.endsWith("*");
  }
}
