package qtfs.rexec;

import java.util.List;
import qtfs.linux.ByteStrings;
import qtfs.whitelist.ProgramRule;

/**
 * What is asked of the server, as far as it is judged.
 *
 * @param uid the requester's on this host; that of udsproxyd for all who ask from the other host
 * @param arguments from {@code argv[0]} on, byte strings
 * @param target the file that {@code argv[0]} has led to
 * @param bytes of the whole request
 */
record Asked(int uid, List<String> arguments, Wishes wishes, ProgramRule.Target target, int bytes) {

  /** The program's name as a text, for messages and the whitelist. */
  String program() {
    return ByteStrings.text(arguments.getFirst());
  }

  /** Whether the name is the same as a text: other bytes become something else, not allowed. */
  boolean isText() {
    return ByteStrings.of(program()).equals(arguments.getFirst());
  }

  List<String> argumentsAfterName() {
    return arguments.subList(1, arguments.size());
  }
}
