package qtfs.dist;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The forms of method handles that go into an AOT cache, so that no program makes them each time it
 * starts: {@code rexec} made a dozen classes of them, in 10 ms. The JVM that writes a cache takes
 * their names from the file {@code lib/classlist} of its runtime, which is there for the time of
 * the training only: this is its file.
 */
final class LambdaForms implements AutoCloseable {
  /** An option of the JVM: it then tells on standard output each form that it looks for. */
  static final String TRACED = "-Djava.lang.invoke.MethodHandle.TRACE_RESOLVE=true";

  private static final String LISTED = "@lambda-form-invoker ";
  private static final Pattern TOLD =
      Pattern.compile("^(\\[LF_RESOLVE] .*) \\((?:fail|success)\\)$", Pattern.MULTILINE);

  private final Path list;
  private final TreeSet<String> forms = new TreeSet<>();

  /** Lists the forms that every JVM of this release has in its own archive. */
  LambdaForms(Path list) throws IOException {
    this.list = list;
    Path jdk = Path.of(System.getProperty("java.home"));
    try (Stream<String> lines = Files.lines(jdk.resolve("lib/classlist"))) {
      lines.filter(line -> line.startsWith(LISTED)).forEach(forms::add);
    }
    Files.write(list, forms);
  }

  /**
   * Lists those that a program has looked for, too.
   *
   * @param output the standard output of a run with {@link #TRACED}
   */
  void add(Path output) throws IOException {
    Matcher told = TOLD.matcher(Files.readString(output));
    while (told.find()) {
      forms.add(LISTED + told.group(1));
    }
    Files.write(list, forms);
  }

  @Override
  public void close() throws IOException {
    Files.delete(list);
  }
}
