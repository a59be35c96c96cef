package qtfs.rexec;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import qtfs.linux.Fd;

/**
 * The process that a call is made for: rexec itself, or in the agent the launcher that has asked.
 * Its descriptors stay its own. For the thread that makes the call.
 */
interface Caller {
  /** What its pid file is named by. */
  int pid();

  /** A standard stream, null where it was started without. */
  @Nullable Fd stream(int number);

  /** The regular files above 2, in ascending order of their numbers. */
  List<InheritedFile> files();

  /** Any other descriptor that it was started with, null if there is none of that number. */
  @Nullable Fd inherited(int number);

  /** Its environment, byte strings. */
  List<String> variables() throws IOException;

  /** What arrives for it. */
  ClientSignals signals();

  /** Tells its user a line. */
  void complain(String line);

  /** How the call waits for others than its user. */
  Waiting waiting();

  /**
   * From a standard stream to the program, not begun.
   *
   * @param from null for nothing to read
   * @param pipe owned by the copy
   */
  Copy toProgram(String what, @Nullable Fd from, Fd pipe);

  /**
   * From the program to a standard stream, not begun.
   *
   * @param pipe owned by the copy
   * @param to null to throw the bytes away
   */
  Copy fromProgram(String what, Fd pipe, @Nullable Fd to);
}
