package qtfs.udsproxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Path;
import qtfs.linux.Fd;
import qtfs.linux.UnixSocket;

/** What somebody who asks for the metrics by HTTP is told. */
record Scrape(String status, String header, String body) {
  static Scrape of(Path runDirectory) throws IOException {
    return of(runDirectory, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }

  static Scrape of(Path runDirectory, String request) throws IOException {
    try (Fd socket = UnixSocket.connect(runDirectory.resolve("metrics.sock").toString())) {
      Sockets.write(socket, request.getBytes(UTF_8));
      return parse(Sockets.readAll(socket));
    }
  }

  static Scrape parse(String response) {
    int end = response.indexOf("\r\n\r\n");
    String header = response.substring(0, end);
    return new Scrape(header.lines().findFirst().orElse(""), header, response.substring(end + 4));
  }

  /** The value of a series, as it is written: name and labels. */
  double value(String series) {
    return body.lines()
        .filter(line -> line.startsWith(series + " "))
        .map(line -> line.substring(series.length() + 1))
        .mapToDouble(Double::parseDouble)
        .findFirst()
        .orElseThrow(() -> new AssertionError("no " + series + " in\n" + body));
  }
}
