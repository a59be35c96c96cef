package qtfs.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import qtfs.linux.ProcessAttributes;

/** Another user of this machine, who connects to a socket that somebody has opened to all. */
public final class Stranger {
  private static final String ASK =
      """
      $SIG{PIPE} = 'IGNORE';
      use IO::Socket::UNIX;
      $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die $!;
      print $s "$ARGV[1]\\n";
      $s->flush;
      print '[', <$s>, ']';
      """;

  private Stranger() {}

  /**
   * Asks a line.
   *
   * @param open directories on the way to the socket that were closed to strangers
   * @return all that comes back, in brackets; it is an error if the socket cannot be reached
   */
  public static String ask(Path socket, String line, Path... open) throws IOException {
    Skip.unless(ProcessAttributes.uid() == 0, "being two users needs root: run as root");
    for (Path path : open) {
      letAllIn(path);
    }
    letAllIn(socket);
    Process stranger =
        new ProcessBuilder(
                List.of(
                    "/usr/bin/setpriv",
                    "--reuid=65534",
                    "--clear-groups",
                    "/usr/bin/perl",
                    "-e",
                    ASK,
                    socket.toString(),
                    line))
            .redirectErrorStream(true)
            .start();
    return new String(stranger.getInputStream().readAllBytes(), UTF_8);
  }

  private static void letAllIn(Path path) throws IOException {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxrwxrwx"));
  }
}
