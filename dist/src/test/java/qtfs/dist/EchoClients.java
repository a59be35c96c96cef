package qtfs.dist;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import qtfs.linux.UnixSocket;

/**
 * A program whose clients connect to one path at the same moment, say who they are, and print the
 * answer: {@code 7: 7} where client 7 got its own connection. Arguments: PATH CLIENTS.
 *
 * <p>One thread: all ask before the first has an answer, and all stay until the last has its own.
 */
final class EchoClients {
  private EchoClients() {}

  public static void main(String[] args) throws IOException {
    String path = args[0];
    List<PlainSocket> asked = new ArrayList<>();
    for (int i = 0; i < Integer.parseInt(args[1]); i++) {
      asked.add(PlainSocket.ask(path));
    }
    List<PlainSocket> connected = new ArrayList<>();
    for (PlainSocket proxy : asked) {
      proxy.awaitReady(path);
      PlainSocket client = new PlainSocket(UnixSocket.connect(path + ".proxy"));
      client.send(Integer.toString(connected.size()), List.of());
      connected.add(client);
    }
    for (int i = 0; i < connected.size(); i++) {
      System.out.println(i + ": " + connected.get(i).receive().text());
    }
  }
}
