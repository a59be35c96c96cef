package qtfs.whitelist;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * A section of a file in {@code /etc/rexec/policy.d}: who may run a program, with what, as whom.
 * Every key restricts; a call must satisfy all of them.
 */
public final class ProgramRule {
  private final String label;
  private final ProgramPath program;
  private final List<ArgumentList> arguments;
  private final List<String> users;
  private final NameSet environment;
  private final Set<Integer> requesters;
  private final Set<String> digests;

  ProgramRule(
      String label,
      ProgramPath program,
      List<ArgumentList> arguments,
      List<String> users,
      NameSet environment,
      Set<Integer> requesters,
      Set<String> digests) {
    this.label = label;
    this.program = program;
    this.arguments = List.copyOf(arguments);
    this.users = List.copyOf(users);
    this.environment = environment;
    this.requesters = Set.copyOf(requesters);
    this.digests = Set.copyOf(digests);
  }

  /**
   * The file that a call wants executed.
   *
   * @param called the path as it was called, or found in {@code PATH}
   * @param real the same without symbolic links
   */
  public record Target(String called, String real, Content content) {
    ProgramPath.Found found() {
      return new ProgramPath.Found(called, real);
    }
  }

  /** What is in the file that is executed if the call is allowed. */
  @FunctionalInterface
  public interface Content {
    /**
     * Its SHA-256 in lower-case hexadecimal digits.
     *
     * @throws IOException if it cannot be told, or would not stay true
     */
    String sha256() throws IOException;
  }

  /** For a log: {@code libvirt.policy[qemu]}. */
  public String label() {
    return label;
  }

  /** Whether this rule is about the file, by whatever name it was called. */
  public boolean concerns(Target target) {
    return program.concerns(target.found());
  }

  /**
   * Whether what matters is the file that was looked at, and not only the path that leads to it.
   */
  public boolean isAboutTheFile() {
    return !digests.isEmpty() || program.isDirectory();
  }

  /** The names of variables that a client may set, beside those that it may anyway. */
  public NameSet environment() {
    return environment;
  }

  /** As whom the program may run; the first where the client does not say; empty for the server. */
  public List<String> users() {
    return users;
  }

  /**
   * What of the call does not fit, and what this rule has instead; empty if all fits. The content
   * is asked for last, since to read it takes time.
   *
   * @param arguments after {@code argv[0]}, byte strings
   */
  public Optional<String> objection(Target target, int requester, List<String> arguments) {
    if (!program.allows(target.found())) {
      return Optional.of("was not called as Program=" + program.text());
    }
    if (!requesters.isEmpty() && !requesters.contains(requester)) {
      return Optional.of("uid " + requester + " is not in Requester=");
    }
    return argumentObjection(arguments).or(() -> contentObjection(target.content()));
  }

  private Optional<String> argumentObjection(List<String> given) {
    List<String> objections = new ArrayList<>();
    for (ArgumentList list : arguments) {
      Optional<String> mismatch = list.mismatch(given);
      if (mismatch.isEmpty()) {
        return mismatch;
      }
      objections.add(mismatch.get() + " (Arguments=" + list.written() + ")");
    }
    return Optional.of(String.join(", ", objections));
  }

  private Optional<String> contentObjection(Content content) {
    if (digests.isEmpty()) {
      return Optional.empty();
    }
    try {
      String digest = content.sha256();
      return digests.contains(digest.toLowerCase(Locale.ROOT))
          ? Optional.empty()
          : Optional.of("its digest is not in Sha256=, it is " + digest);
    } catch (IOException e) {
      return Optional.of("its digest cannot be told: " + e.getMessage());
    }
  }

  @Override
  public String toString() {
    return label;
  }
}
