package qtfs.whitelist;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.file.Path;
import java.util.List;

/** Whitelists from text, and what is wrong with one, without a file. */
final class Whitelists {
  static final Path FILE = Path.of("/etc/qtfs/whitelist");

  private Whitelists() {}

  /** Of a whitelist that is right. */
  static QtfsWhitelist parse(String text) {
    try {
      return QtfsWhitelist.parse(text.getBytes(UTF_8), new Problems(FILE));
    } catch (WhitelistException e) {
      throw new AssertionError(e);
    }
  }

  /** What is wrong, as {@code line:column: text}. */
  static List<String> problems(String text) {
    return problems(text.getBytes(UTF_8));
  }

  static List<String> problems(byte[] text) {
    try {
      QtfsWhitelist.parse(text, new Problems(FILE));
      return List.of();
    } catch (WhitelistException e) {
      return withoutFile(e);
    }
  }

  /** Of a whitelist of rexec that is right. */
  static RexecWhitelist parseRexec(String bytes) {
    try {
      return RexecWhitelist.parse(bytes.getBytes(ISO_8859_1), new Problems(FILE));
    } catch (WhitelistException e) {
      throw new AssertionError(e);
    }
  }

  /**
   * @param bytes one in each char
   */
  static List<String> rexecProblems(String bytes) {
    try {
      RexecWhitelist.parse(bytes.getBytes(ISO_8859_1), new Problems(FILE));
      return List.of();
    } catch (WhitelistException e) {
      return withoutFile(e);
    }
  }

  private static List<String> withoutFile(WhitelistException e) {
    return e.problems().stream()
        .map(problem -> problem.toString().substring((FILE + ":").length()).strip())
        .toList();
  }
}
