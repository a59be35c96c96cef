package qtfs.dist;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** The version of the C library that a native library asks for, by the names of its symbols. */
record GlibcVersion(int major, int minor) implements Comparable<GlibcVersion> {
  /** What the packages depend on. */
  static final String MINIMUM = Objects.requireNonNull(System.getProperty("qtfs.glibc"));

  private static final Pattern NAME = Pattern.compile("GLIBC_(\\d+)\\.(\\d+)");

  static GlibcVersion minimum() {
    return in("GLIBC_" + MINIMUM);
  }

  static GlibcVersion of(Path library) throws IOException {
    return in(new String(Files.readAllBytes(library), ISO_8859_1));
  }

  private static GlibcVersion in(String text) {
    return NAME.matcher(text)
        .results()
        .map(GlibcVersion::of)
        .max(GlibcVersion::compareTo)
        .orElse(new GlibcVersion(2, 0));
  }

  private static GlibcVersion of(MatchResult name) {
    return new GlibcVersion(Integer.parseInt(name.group(1)), Integer.parseInt(name.group(2)));
  }

  @Override
  public int compareTo(GlibcVersion other) {
    return major != other.major
        ? Integer.compare(major, other.major)
        : Integer.compare(minor, other.minor);
  }
}
