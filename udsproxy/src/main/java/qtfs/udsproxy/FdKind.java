package qtfs.udsproxy;

import java.util.Locale;

/** What crosses where a descriptor was passed. */
enum FdKind {
  FILE,

  /** Has a relay of its own. */
  PIPE,

  /** Has a session of its own. */
  SOCKET,

  /** A file without a name, of which a copy is made. */
  CONTENT,

  DIRECTORY,
  DEVICE;

  /** As it stands in metrics. */
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
