package qtfs.udsproxy.metrics;

import java.nio.charset.StandardCharsets;

/**
 * An answer to a {@link ScrapeRequest}, after which the connection is closed.
 *
 * @param status number and words
 * @param contentType with the format's version
 */
public record ScrapeResponse(String status, String contentType, String body) {
  private static final String PLAIN = "text/plain; charset=utf-8";

  /** The metrics. */
  public static ScrapeResponse ok(String contentType, String body) {
    return new ScrapeResponse("200 OK", contentType, body);
  }

  /** A line that says why not. */
  public static ScrapeResponse plain(String status, String line) {
    return new ScrapeResponse(status, PLAIN, line);
  }

  /** As it is sent. */
  public byte[] bytes() {
    int length = body.getBytes(StandardCharsets.UTF_8).length;
    String head =
        "HTTP/1.1 "
            + status
            + "\r\nContent-Type: "
            + contentType
            + "\r\nContent-Length: "
            + length
            + "\r\nConnection: close\r\n\r\n";
    return (head + body).getBytes(StandardCharsets.UTF_8);
  }
}
