package qtfs.whitelist;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Optional;

/**
 * How the entries of a group match, and which entries it can hold.
 *
 * <p>All but {@link #PEER_SOCKET} repeat the kernel modules, traps included: what this program
 * allows is then what the modules allow.
 */
enum Rule {
  /** An entry allows itself and what is below it. */
  TREE {
    @Override
    boolean matches(String entry, String path) {
      return path.startsWith(entry)
          && (entry.endsWith("/") || endsOrGoesOn(entry, path))
          && !climbs(path);
    }

    @Override
    String inWords() {
      return SAME_OR_BELOW + ", or starts with an entry that ends in /; and it has no component ..";
    }
  },

  /** An entry allows the task whose comm it is. */
  COMM {
    @Override
    boolean matches(String entry, String comm) {
      return comm.equals(entry);
    }

    @Override
    String inWords() {
      return "the entry is the comm of the task";
    }

    @Override
    Optional<String> fault(String entry) {
      if (entry.isEmpty()) {
        return Optional.of("is empty: name a task, or remove one of the ;");
      }
      return tooLong(entry, COMM_BYTES, "a task's comm has at most " + COMM_BYTES);
    }
  },

  /**
   * An entry allows itself and what is below it. One that ends in {@code /} allows nothing below:
   * the kernel modules want a further {@code /} after it. A relative one is good: it allows what an
   * application connects to by that relative path.
   */
  SOCKET {
    @Override
    boolean matches(String entry, String path) {
      return path.startsWith(entry) && endsOrGoesOn(entry, path);
    }

    @Override
    String inWords() {
      return SAME_OR_BELOW + ": an entry that ends in / allows nothing below";
    }

    @Override
    Optional<String> fault(String entry) {
      return entry.isEmpty() ? super.fault(entry) : tooLongPath(entry);
    }
  },

  /** As {@link #SOCKET}, without its trap, and never for a path that climbs. */
  PEER_SOCKET {
    @Override
    boolean matches(String entry, String path) {
      return SOCKET.matches(entry, path) && !climbs(path);
    }

    @Override
    String inWords() {
      return SAME_OR_BELOW + "; and it has no component ..";
    }

    @Override
    String normalize(String entry) {
      int end = entry.length();
      while (end > 0 && entry.charAt(end - 1) == '/') {
        end--;
      }
      return entry.substring(0, end);
    }

    @Override
    Optional<String> fault(String entry) {
      if (!entry.isEmpty() && normalize(entry).isEmpty()) {
        return Optional.of(
            "would open every socket of this host: name directories or sockets,"
                + " or start udsproxyd with --allow-any-socket");
      }
      if (climbs(entry)) {
        return Optional.of("has a component .., so that nothing matches it: write the path out");
      }
      return super.fault(entry);
    }
  };

  private static final String SAME_OR_BELOW =
      "the path is the entry, or starts with it and goes on with /";
  private static final int PATH_BYTES = 4095; // of the modules' 12-bit length
  private static final int COMM_BYTES = 15; // TASK_COMM_LEN without its NUL

  /** Whether an entry, one without {@link #fault} and normalized, allows a path. */
  abstract boolean matches(String entry, String path);

  /** The same, told to the operator. */
  abstract String inWords();

  /** The entry as it is matched. */
  String normalize(String entry) {
    return entry;
  }

  /** What is wrong with an entry as it was written. */
  Optional<String> fault(String entry) {
    if (entry.isEmpty()) {
      return Optional.of("is empty, and the kernel would match every path: remove one of the ;");
    }
    if (entry.charAt(0) != '/') {
      return Optional.of("is not absolute: start it with /");
    }
    return tooLongPath(entry);
  }

  private static Optional<String> tooLongPath(String entry) {
    return tooLong(entry, PATH_BYTES, "the kernel modules take at most " + PATH_BYTES);
  }

  private static Optional<String> tooLong(String entry, int most, String reason) {
    int bytes = entry.getBytes(UTF_8).length;
    return bytes <= most
        ? Optional.empty()
        : Optional.of("has " + bytes + " bytes, and " + reason + ": shorten it");
  }

  private static boolean endsOrGoesOn(String entry, String path) {
    return path.length() == entry.length() || path.charAt(entry.length()) == '/';
  }

  /** Whether a component is {@code ..}. */
  static boolean climbs(String path) {
    return path.contains("/../") || path.endsWith("/..");
  }
}
