package qtfs.dist;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * One manual page, made of a Markdown file: a title {@code # name(8): what it is}, sections, and
 * lines in double braces in whose place comes what a program says of itself, or a section of
 * another document:
 *
 * <pre>
 * {{synopsis udsproxyd}}  {{options udsproxyd}}  {{commands udsproxyd ctl}}  {{letters qtcfg}}
 * {{include operations.md: Drain}}
 * </pre>
 *
 * A table becomes a list, its first column the words that are explained.
 */
final class ManualPage {
  private final Path docs;
  private final Troff troff = new Troff();
  private final ArrayDeque<String> lines = new ArrayDeque<>();
  private final List<String> paragraph = new ArrayList<>();

  private ManualPage(Path docs) {
    this.docs = docs;
  }

  /**
   * The page.
   *
   * @param docs where included documents are
   * @param version of the programs, for the page's foot
   */
  static String of(Path markdown, Path docs, String version) throws IOException {
    ManualPage page = new ManualPage(docs);
    page.lines.addAll(Files.readAllLines(markdown));
    String title = page.lines.removeFirst();
    if (!title.matches("# [A-Za-z_.-]+\\([1-8]\\): .+")) {
      throw new IOException(markdown + ":1: must be \"# name(section): what it is\"");
    }
    String name = title.substring(2, title.indexOf('('));
    String section = title.substring(title.indexOf('(') + 1, title.indexOf(')'));
    page.troff.request(".TH \"%s\" %s \"\" \"qtfs %s\" \"qtfs\"".formatted(name, section, version));
    // Neither wide gaps nor hyphens in what is to be copied.
    page.troff.request(".ad l").request(".nh").section("NAME");
    page.troff.text(name + " @@ " + title.substring(title.indexOf(": ") + 2));
    page.write();
    // In this one place whatis(1) wants to see them so.
    return page.troff.toString().replaceFirst(" @@ ", " \\\\- ");
  }

  private void write() throws IOException {
    while (!lines.isEmpty()) {
      write(lines.removeFirst());
    }
    endParagraph();
  }

  private void write(String line) throws IOException {
    if (line.isBlank()) {
      endParagraph();
    } else if (line.startsWith("{{")) {
      endParagraph();
      directive(line.substring(2, line.indexOf("}}")));
    } else if (line.startsWith("```")) {
      endParagraph();
      troff.verbatim(until("```"));
    } else if (line.startsWith("|")) {
      endParagraph();
      table(line);
    } else if (line.startsWith("#")) {
      endParagraph();
      heading(line);
    } else if (line.matches("- .*")) {
      endParagraph();
      troff.bullet("\\(bu", continued(line.substring(2)));
    } else if (line.matches("[0-9]\\. .*")) {
      endParagraph();
      troff.bullet(line.substring(0, 2), continued(line.substring(3)));
    } else {
      paragraph.add(line.strip());
    }
  }

  private void endParagraph() {
    if (!paragraph.isEmpty()) {
      troff.paragraph(String.join(" ", paragraph));
      paragraph.clear();
    }
  }

  private void heading(String line) {
    String title = line.replaceFirst("^#+ ", "").replace("`", "");
    if (line.startsWith("## ")) {
      troff.section(title.toUpperCase(Locale.ROOT));
    } else {
      troff.subsection(title);
    }
  }

  private List<String> until(String end) {
    List<String> block = new ArrayList<>();
    while (!lines.isEmpty() && !lines.peekFirst().startsWith(end)) {
      block.add(lines.removeFirst());
    }
    lines.pollFirst();
    return block;
  }

  /** With the lines that belong to it, which are indented. */
  private String continued(String first) {
    StringBuilder item = new StringBuilder(first);
    while (!lines.isEmpty() && lines.peekFirst().startsWith("  ")) {
      item.append(' ').append(lines.removeFirst().strip());
    }
    return item.toString();
  }

  private void table(String header) {
    List<String> titles = cells(header);
    lines.removeFirst(); // the line of dashes
    while (!lines.isEmpty() && lines.peekFirst().startsWith("|")) {
      List<String> cells = cells(lines.removeFirst());
      List<String> told = new ArrayList<>();
      for (int i = 1; i < cells.size(); i++) {
        String cell = cells.get(i);
        boolean titled = i > 1 && !titles.get(i).isEmpty();
        if (!cell.isEmpty()) {
          told.add(titled ? titles.get(i) + ": " + cell : cell);
        }
      }
      troff.item(cells.getFirst(), String.join(". ", told));
    }
  }

  private static List<String> cells(String row) {
    return Stream.of(row.strip().replaceFirst("^\\|", "").split("(?<!\\\\)\\|"))
        .map(cell -> cell.strip().replace("\\|", "|"))
        .toList();
  }

  private void directive(String words) throws IOException {
    String[] parts = words.split("[ :]+", 2);
    switch (parts[0]) {
      case "synopsis" -> CommandText.synopsis(parts[1]).forEach(s -> troff.request(".PP").text(s));
      case "options" -> CommandText.options(parts[1], troff);
      case "commands" -> CommandText.commands(parts[1], troff);
      case "letters" -> troff.verbatim(CommandText.letters(parts[1]));
      case "include" -> include(parts[1]);
      default -> throw new IOException("{{" + words + "}}: there is no such directive");
    }
  }

  /** Puts a section of a document in front of the lines that are left, without its heading. */
  private void include(String words) throws IOException {
    String[] parts = words.split(": ", 2);
    List<String> all = Files.readAllLines(docs.resolve(parts[0]));
    int start = 0;
    while (start < all.size() && !all.get(start).matches("#+ " + Pattern.quote(parts[1]))) {
      start++;
    }
    if (start == all.size()) {
      throw new IOException(parts[0] + " has no section \"" + parts[1] + "\"");
    }
    String level = all.get(start).replaceFirst(" .*", "");
    int end = start + 1;
    boolean code = false;
    while (end < all.size() && (code || !endsSection(all.get(end), level))) {
      code ^= all.get(end).startsWith("```");
      end++;
    }
    all.subList(start + 1, end).reversed().forEach(lines::addFirst);
  }

  private static boolean endsSection(String line, String level) {
    return line.matches("#{1," + level.length() + "} .*");
  }
}
