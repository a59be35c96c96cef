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

  /** The arguments: the image, the directory of the sources, the documents, the version. */
  public static void main(String[] args) throws IOException {
    Path share = Path.of(args[0]).resolve("share");
    Path sources = Path.of(args[1]);
    pages(share.resolve("man"), sources.resolve("man"), Path.of(args[2]), args[3]);
    completions(share, sources.resolve("completion"));
  }

  private static void completions(Path share, Path sources) throws IOException {
    String bashEngine = Files.readString(sources.resolve("engine.bash"));
    String zshEngine = Files.readString(sources.resolve("engine.zsh"));
    Path bash = Files.createDirectories(share.resolve("bash-completion/completions"));
    Path zsh = Files.createDirectories(share.resolve("zsh/site-functions"));
    for (String program : CommandText.programs()) {
      Files.writeString(bash.resolve(program), BashCompletion.of(program, bashEngine));
      Files.writeString(zsh.resolve("_" + program), ZshCompletion.of(program, zshEngine));
    }
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
