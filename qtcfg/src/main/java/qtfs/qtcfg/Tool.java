package qtfs.qtcfg;

/** The two programs: what their single letters are, and their usage as the C programs print it. */
enum Tool {
  QTCFG("qtcfg", "list add del load save diff check explain", "w:x:y:z::", ""),
  QTINFO(
      "qtinfo",
      "stats conns sizes proxy loglevel clear epoll top",
      "acl:tp:usw:x:y:z::",
      """
        -a, All diag info.
        -c, Clear all diag info.
        -l, Set log level(valid param: "NONE", "ERROR", "WARN", "INFO", "DEBUG").
        -t, For test informations.
        -p, Epoll support file mode(1: any files; 0: only fifo).
        -u, Display unix socket proxy diagnostic info
        -s, Set unix socket proxy log level(Increase by 1 each time)
      """);

  private static final String SERVER_TYPES =
      """
      open/write/read/readdir/mkdir/rmdir/create/
            unlink/rename/setattr/setxattr/mount/kill/udsconnect""";

  private final String word;
  private final String words;
  private final String letters;
  private final String ownOptions;

  Tool(String word, String words, String letters, String ownOptions) {
    this.word = word;
    this.words = words + " help --version";
    this.letters = letters;
    this.ownOptions = ownOptions;
  }

  /** The program's name where nothing else is known. */
  String word() {
    return word;
  }

  /** Whether a command line that starts so is one of the modern face. */
  boolean isWord(String first) {
    return !first.contains(" ") && (" " + words + " ").contains(" " + first + " ");
  }

  /** As getopt takes them. */
  String letters() {
    return letters;
  }

  /**
   * @param program its name as it was called
   */
  String usage(String program, Role role) {
    return "Usage: "
        + program
        + " [OPTION].\n"
        + "Display qtfs client/server diagnostic information.\n"
        + ownOptions
        + "  -w, White list type("
        + (role == Role.CLIENT ? "udsconnect" : SERVER_TYPES)
        + ")\n"
        + "  -x, Add a qtfs white list path(example: -x /home/, must use with -w)\n"
        + "  -y, Delete a qtfs white list with index(example: -y 1, must use with -w)\n"
        + "  -z, Get all qtfs white list(just use -z, or with white list type)\n";
  }
}
