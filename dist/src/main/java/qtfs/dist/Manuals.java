package qtfs.dist;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * The build step that writes manual pages and completions into an install image, from Markdown and
 * from what the programs' option parsers know.
 */
final class Manuals {
  private Manuals() {}

  /** The arguments: the image, the pages' sources, the documents, the version. */
  public static void main(String[] args) throws IOException {
    Path image = Path.of(args[0]);
    pages(image.resolve("share/man"), Path.of(args[1]), Path.of(args[2]), args[3]);
  }

  private static void pages(Path man, Path sources, Path docs, String version) throws IOException {
    List<Path> files;
    try (Stream<Path> list = Files.list(sources)) {
      files = list.sorted().toList();
    }
    for (Path file : files) {
      String page = file.getFileName().toString().replaceFirst("\\.md$", "");
      Path target = man.resolve("man" + page.charAt(page.length() - 1)).resolve(page);
      Files.createDirectories(target.getParent());
      Files.writeString(target, ManualPage.of(file, docs, version));
    }
  }
}
