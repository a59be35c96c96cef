package qtfs.qtcfg;

import qtfs.whitelist.Group;

/**
 * An entry that comes or goes.
 *
 * @param path a byte string
 */
record Change(Action action, Group group, String path) {
  /** Which of the two. */
  enum Action {
    ADD('+', "add"),
    DELETE('-', "del");

    private final char sign;
    private final String word;

    Action(char sign, String word) {
      this.sign = sign;
      this.word = word;
    }

    String word() {
      return word;
    }
  }

  /** As in a diff. */
  String line() {
    return action.sign + " [" + group.title() + "] " + Shown.of(path);
  }
}
