package qtfs.linux;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.FileInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Strings with a byte in each char, for what need not be text: arguments and variables. The JVM
 * decodes its own arguments by the locale, and in the C locale loses every byte above 127.
 */
public final class ByteStrings {
  private ByteStrings() {}

  /** The UTF-8 bytes of a text. */
  public static String of(String text) {
    return new String(text.getBytes(UTF_8), ISO_8859_1);
  }

  /** For a message: what the bytes are in UTF-8. */
  public static String text(String bytes) {
    return new String(bytes.getBytes(ISO_8859_1), UTF_8);
  }

  /** The arguments of this process's main method, as they were given to the process. */
  public static List<String> ofMain(String[] args) throws IOException {
    if (isFaithful(args)) {
      return List.of(args);
    }
    List<String> all = split("/proc/self/cmdline");
    return List.copyOf(all.subList(all.size() - args.length, all.size()));
  }

  /** Whether the JVM cannot have lost anything: '?' is what it puts for a lost byte. */
  private static boolean isFaithful(String[] args) {
    for (String arg : args) {
      for (int i = 0; i < arg.length(); i++) {
        if (arg.charAt(i) > '~' || arg.charAt(i) == '?') {
          return false;
        }
      }
    }
    return true;
  }

  /** The strings of a file of /proc, each with a NUL at its end. */
  public static List<String> split(String file) throws IOException {
    byte[] bytes;
    try (FileInputStream in = new FileInputStream(file)) {
      bytes = in.readAllBytes();
    }
    List<String> strings = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == 0) {
        strings.add(new String(bytes, start, i - start, ISO_8859_1));
        start = i + 1;
      }
    }
    return strings;
  }
}
