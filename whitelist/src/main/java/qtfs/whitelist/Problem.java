package qtfs.whitelist;

import java.nio.file.Path;

/**
 * One thing that is wrong with a file, and what to do about it.
 *
 * @param line from 1; 0 if it concerns the file as a whole
 * @param column in bytes, from 1; 0 if it concerns the whole line
 */
public record Problem(Path file, int line, int column, String text) {

  /** One line, {@code file:line:column: text}, control characters as {@code \xNN}. */
  @Override
  public String toString() {
    StringBuilder out = new StringBuilder(file.toString());
    if (line > 0) {
      out.append(':').append(line);
    }
    if (column > 0) {
      out.append(':').append(column);
    }
    return Visible.escape(out.append(": ").append(text).toString());
  }
}
