package qtfs.dist;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A block of shell commands in a document. Its first line is a comment that says where it is run,
 * or that the tests do not run it.
 *
 * @param place what the comment says
 * @param script all of it
 */
record ShellBlock(Path document, int line, String place, String script) {
  private static final String NOT_RUN = "not run by the tests: ";

  static List<ShellBlock> of(Path document) throws IOException {
    List<ShellBlock> blocks = new ArrayList<>();
    List<String> lines = Files.readAllLines(document);
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).equals("```sh")) {
        int start = i + 1;
        while (!lines.get(i + 1).equals("```")) {
          i++;
        }
        String script = String.join("\n", lines.subList(start, i + 1)) + "\n";
        String place = lines.get(start).replaceFirst("^# ", "");
        blocks.add(new ShellBlock(document, start + 1, place, script));
      }
    }
    return blocks;
  }

  boolean isRun() {
    return !place.startsWith(NOT_RUN);
  }

  @Override
  public String toString() {
    return document.getFileName() + ":" + line + " " + place;
  }
}
