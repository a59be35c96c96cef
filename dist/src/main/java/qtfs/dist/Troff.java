package qtfs.dist;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The text of one manual page, in the requests of man(7). What is given to it as text is escaped,
 * and may have Markdown's {@code `code`}, {@code *emphasis*}, {@code **stress**} and links.
 */
final class Troff {
  private static final Pattern INLINE =
      Pattern.compile("`([^`]+)`|\\*\\*([^*]+)\\*\\*|\\*([^*\\s][^*]*)\\*|\\[([^]]+)]\\([^)]+\\)");

  private final StringBuilder out = new StringBuilder();

  /** A line that is a request itself. */
  Troff request(String line) {
    out.append(line).append('\n');
    return this;
  }

  /** A line of text. */
  Troff text(String markdown) {
    String line = inline(markdown);
    // A control character in front would make it a request.
    out.append(line.startsWith(".") || line.startsWith("'") ? "\\&" : "").append(line).append('\n');
    return this;
  }

  Troff section(String title) {
    return request(".SH " + quoted(title));
  }

  Troff subsection(String title) {
    return request(".SS " + quoted(title));
  }

  private static String quoted(String title) {
    return '"' + inline(title).replace("\"", "\\(dq") + '"';
  }

  Troff paragraph(String markdown) {
    return request(".PP").text(markdown);
  }

  /** Something, and what it is about. */
  Troff item(String tag, String markdown) {
    return request(".TP").text(tag).text(markdown);
  }

  Troff bullet(String mark, String markdown) {
    return request(".IP " + mark + " 4").text(markdown);
  }

  /** Lines as they are. */
  Troff verbatim(Iterable<String> lines) {
    request(".PP").request(".RS 4").request(".nf");
    for (String line : lines) {
      String text = escape(line);
      boolean control = text.startsWith(".") || text.startsWith("'");
      out.append(text.isEmpty() ? "\\&" : control ? "\\&" : "").append(text).append('\n');
    }
    return request(".fi").request(".RE");
  }

  private static String inline(String markdown) {
    Matcher matcher = INLINE.matcher(markdown);
    StringBuilder line = new StringBuilder();
    int end = 0;
    while (matcher.find()) {
      line.append(escape(markdown.substring(end, matcher.start()))).append(marked(matcher));
      end = matcher.end();
    }
    return line.append(escape(markdown.substring(end))).toString();
  }

  private static String marked(Matcher matcher) {
    if (matcher.group(4) != null) {
      return inline(matcher.group(4));
    }
    if (matcher.group(3) != null) {
      return "\\fI" + escape(matcher.group(3)) + "\\fR";
    }
    return "\\fB" + escape(matcher.group(1) != null ? matcher.group(1) : matcher.group(2)) + "\\fR";
  }

  /** A hyphen that can be copied to a shell, and no character with a meaning. */
  private static String escape(String text) {
    return text.replace("\\", "\\e")
        .replace("-", "\\-")
        .replace("^", "\\(ha")
        .replace("~", "\\(ti");
  }

  @Override
  public String toString() {
    return out.toString();
  }
}
