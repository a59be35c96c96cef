package qtfs.udsproxy.metrics;

import java.util.Locale;

/** What the head of an HTTP request asks for: metrics, or what there is none of here. */
public sealed interface ScrapeRequest {
  /** Most bytes of a head. */
  int MAX_HEAD = 8192;

  /** What a head ends with. */
  String END = "\r\n\r\n";

  /**
   * {@code GET /metrics}.
   *
   * @param accept what the header of that name says, empty for none
   */
  record Metrics(String accept) implements ScrapeRequest {}

  /** Anything else, with its answer. */
  record Other(ScrapeResponse answer) implements ScrapeRequest {}

  /** Reads a head, complete but for its last empty line. */
  static ScrapeRequest parse(String head) {
    String[] lines = head.split("\r\n");
    String[] request = lines[0].split(" ");
    if (request.length != 3 || !request[2].startsWith("HTTP/1.")) {
      return other("400 Bad Request", "this speaks HTTP/1.1\n");
    } else if (!request[0].equals("GET")) {
      return other("405 Method Not Allowed", "GET is all there is\n");
    } else if (!request[1].equals("/metrics") && !request[1].startsWith("/metrics?")) {
      return other("404 Not Found", "it is at /metrics\n");
    } else {
      return new Metrics(header(lines, "accept"));
    }
  }

  /** For a head of more than {@link #MAX_HEAD} bytes. */
  static ScrapeRequest tooLarge() {
    return other("431 Request Header Fields Too Large", "more than " + MAX_HEAD + " bytes\n");
  }

  private static ScrapeRequest other(String status, String text) {
    return new Other(ScrapeResponse.plain(status, text));
  }

  private static String header(String[] lines, String name) {
    for (String line : lines) {
      if (line.toLowerCase(Locale.ROOT).startsWith(name + ":")) {
        return line.substring(name.length() + 1).strip();
      }
    }
    return "";
  }
}
