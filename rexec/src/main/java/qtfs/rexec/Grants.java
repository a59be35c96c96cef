package qtfs.rexec;

import org.jspecify.annotations.Nullable;
import qtfs.linux.ByteStrings;

/**
 * What a client may wish for where no rule of the server says more: a directory, a terminal, a time
 * limit, to be nicer, and variables that make no program do something else.
 */
final class Grants {
  private Grants() {}

  /** Why a request is refused, for its user; null if nothing is wrong with it. */
  static @Nullable String refusal(Wishes wishes) {
    if (wishes.user() != null) {
      return "--user " + ByteStrings.text(wishes.user()) + " is not allowed here";
    } else if (wishes.nice() < 0) {
      return "--nice " + wishes.nice() + " is not allowed here, 0 and more is";
    }
    for (String variable : wishes.environment()) {
      if (!ChildEnvironment.isHarmless(variable)) {
        String name = variable.substring(0, variable.indexOf('='));
        return "--env " + ByteStrings.text(name) + " is not allowed here";
      }
    }
    return null;
  }
}
