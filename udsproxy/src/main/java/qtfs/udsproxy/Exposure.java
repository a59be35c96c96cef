package qtfs.udsproxy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.UserPrincipal;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import qtfs.linux.UnixSocket;
import qtfs.udsproxy.connector.ConnectRequest;

/**
 * The wish that a socket of this host leads to a socket of the peer, as {@code --expose} has it:
 *
 * <pre>
 * PEERPATH[=LOCALPATH][,type=TYPE][,mode=MODE][,owner=USER][,group=GROUP]
 * </pre>
 *
 * <p>Neither path can have a comma, nor the peer's an equals sign. An instance can be carried out:
 * both paths fit, user and group are there. Immutable.
 *
 * @param target what the peer is asked for, and of which type both sockets are
 * @param local where the clients connect to
 * @param mode permission bits, 0600 if not told
 * @param owner null for the daemon's own
 * @param group null for the daemon's own
 */
public record Exposure(
    ConnectRequest target,
    Path local,
    int mode,
    @Nullable UserPrincipal owner,
    @Nullable GroupPrincipal group) {
  static final int OWNER_ONLY = 0600;

  /** What {@code sun_path} takes, without its NUL. */
  private static final int MAX_LOCAL_BYTES = UnixSocket.SUN_PATH_LENGTH - 1;

  private static final List<String> KEYS = List.of("type", "mode", "owner", "group");

  /** A text that is not an {@link Exposure}: one line that says why. */
  public static final class SpecException extends Exception {
    private static final long serialVersionUID = 1L;

    SpecException(String spec, String fault) {
      super("cannot expose \"" + spec + "\": " + fault);
    }
  }

  /** Reads one; may wait for the host's directory of users. */
  public static Exposure parse(String spec) throws SpecException {
    try {
      List<String> parts = new ArrayList<>(Arrays.asList(spec.split(",", -1)));
      String[] paths = parts.removeFirst().split("=", 2);
      Map<String, String> options = options(parts);
      UserPrincipalLookupService users = FileSystems.getDefault().getUserPrincipalLookupService();
      return new Exposure(
          ConnectRequest.of(type(options.getOrDefault("type", "stream")), paths[0]),
          local(paths[paths.length - 1]),
          mode(options.get("mode")),
          principal("user", options.get("owner"), users::lookupPrincipalByName),
          principal("group", options.get("group"), users::lookupPrincipalByGroupName));
    } catch (IOException | IllegalArgumentException e) {
      throw new SpecException(spec, String.valueOf(e.getMessage()));
    }
  }

  private static Map<String, String> options(List<String> texts) {
    Map<String, String> options = new HashMap<>();
    for (String text : texts) {
      String[] option = text.split("=", 2);
      if (option.length < 2 || !KEYS.contains(option[0])) {
        throw new IllegalArgumentException(
            "\"" + text + "\" is none of type=TYPE, mode=MODE, owner=USER, group=GROUP");
      }
      if (options.put(option[0], option[1]) != null) {
        throw new IllegalArgumentException(option[0] + " is there twice");
      }
    }
    return options;
  }

  /** A way to find a user or a group. */
  private interface Lookup<P> {
    P of(String name) throws IOException;
  }

  private static <P> @Nullable P principal(String kind, @Nullable String name, Lookup<P> lookup)
      throws IOException {
    if (name == null) {
      return null;
    }
    try {
      return lookup.of(name);
    } catch (UserPrincipalNotFoundException e) {
      throw new IllegalArgumentException("this host has no " + kind + " \"" + name + "\"", e);
    }
  }

  /** As {@code type=} has it. */
  String typeWord() {
    return target.type().name().toLowerCase(Locale.ROOT);
  }

  private static UnixSocket.Type type(String text) {
    return switch (text) {
      case "stream" -> UnixSocket.Type.STREAM;
      case "seqpacket" -> UnixSocket.Type.SEQPACKET;
      case "dgram" -> UnixSocket.Type.DGRAM;
      default ->
          throw new IllegalArgumentException(
              "type \"" + text + "\" is none of stream, seqpacket, dgram");
    };
  }

  private static int mode(@Nullable String text) {
    if (text == null) {
      return OWNER_ONLY;
    }
    if (!text.matches("0?[0-7]{3}")) {
      throw new IllegalArgumentException(
          "mode \"" + text + "\" is not three octal digits, such as 0660");
    }
    return Integer.parseInt(text, 8);
  }

  /** A path as it can be bound, and compared with others. */
  private static Path local(String text) {
    Path path = Path.of(text);
    if (!path.isAbsolute() || !path.equals(path.normalize()) || path.getNameCount() == 0) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is not an absolute path without . and ..");
    }
    int length = text.getBytes(StandardCharsets.UTF_8).length;
    if (length > MAX_LOCAL_BYTES) {
      throw new IllegalArgumentException(
          text + " has " + length + " bytes, a socket's path at most " + MAX_LOCAL_BYTES);
    }
    return path;
  }
}
