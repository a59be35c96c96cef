package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import qtfs.testing.Ports;

/** Whatever keeps the daemon from starting is one line on standard error, and exit code 255. */
final class UdsproxydArgumentsTest {
  @TempDir Path directory;

  private List<String> line(String arguments) {
    List<String> all = new ArrayList<>();
    all.add("--run-dir=" + directory.resolve("run"));
    all.add("--whitelist=" + directory.resolve("none"));
    if (!arguments.isEmpty()) {
      all.addAll(List.of(arguments.split(" ")));
    }
    return all;
  }

  private void assertAllRefused(Map<List<String>, String> cases) throws Exception {
    Map<List<String>, DaemonProcess> started = new LinkedHashMap<>();
    try {
      for (List<String> arguments : cases.keySet()) {
        DaemonProcess daemon = DaemonProcess.start(directory, arguments);
        started.put(arguments, daemon);
      }
      SoftAssertions all = new SoftAssertions();
      for (var one : started.entrySet()) {
        String name = String.join(" ", one.getKey());
        all.assertThat(one.getValue().exitCode(30)).as(name).isEqualTo(255);
        String stderr = one.getValue().stderr();
        all.assertThat(stderr.lines().filter(line -> line.startsWith("udsproxyd: ")))
            .as(name)
            .singleElement()
            .asString()
            .contains(cases.getOrDefault(one.getKey(), ""));
        all.assertThat(stderr).as(name).doesNotContain("Exception").doesNotContain("\tat ");
        all.assertThat(one.getValue().stdout()).as(name).isEmpty();
      }
      all.assertAll();
    } finally {
      started.values().forEach(DaemonProcess::close);
    }
  }

  /** The command lines that were recorded of the deployed daemon, but for those that ours takes. */
  @Test
  void theRecordedCommandLines() throws Exception {
    Map<List<String>, String> cases = new LinkedHashMap<>();
    cases.put(line(""), "<threads>");
    cases.put(line("1"), "<addr>");
    cases.put(line("0 127.0.0.1 5555 127.0.0.1 5556"), "<threads> is \"0\"");
    cases.put(line("x 127.0.0.1 5555 127.0.0.1 5556"), "<threads> is \"x\"");
    cases.put(line("1 127.0.0.1 80 127.0.0.1 5556"), "<port> is \"80\"");
    cases.put(line("1 127.0.0.1 5555 127.0.0.1 65536"), "<peerport> is \"65536\"");
    cases.put(line("1 127.0.0.1 5555 127.0.0.1 abc"), "<peerport> is \"abc\"");
    cases.put(line("1 127.0.0.1 5555 127.0.0.1 5556 7"), "7");
    assertAllRefused(cases);
  }

  @Test
  void whatIsNoLink() throws Exception {
    Map<List<String>, String> cases = new LinkedHashMap<>();
    cases.put(line("1 10 5555 127.0.0.1 5556"), "<addr> is \"10\" and <peeraddr> is \"127.0.0.1\"");
    cases.put(line("1 ::1 5555 2 5556"), "<addr> is \"::1\" and <peeraddr> is \"2\"");
    cases.put(line("1 -1 5555 -1 5556"), "<peeraddr> is \"-1\", which is any CID");
    cases.put(line("1 -1 5555 4294967296 5556"), "<peeraddr> is \"4294967296\", which is neither");
    cases.put(line("1 4294967290 5555 2 5556"), "cannot listen on vsock 4294967290:5555");
    assertAllRefused(cases);
  }

  @Test
  void whatIsNoTls() throws Exception {
    Map<List<String>, String> cases = new LinkedHashMap<>();
    String all = "--tls-cert=a --tls-key=b --tls-ca=c ";
    cases.put(line("--tls-cert=a 1 ::1 5555 ::1 5556"), "TLS needs --tls-key and --tls-ca too");
    cases.put(line("--tls-peer=a 1 ::1 5555 ::1 5556"), "TLS needs --tls-cert and --tls-key and");
    cases.put(line(all + "1 -1 5555 2 5556"), "TLS is for IP addresses");
    cases.put(line(all + "1 127.0.0.1 5555 127.0.0.1 5556"), "b: no such file");
    cases.put(line(all + "--check 1 127.0.0.1 5555 127.0.0.1 5556"), "b: no such file");
    assertAllRefused(cases);
  }

  @Test
  void whatCannotBeServed() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String port = Integer.toString(taken.getLocalPort());
      int free = Ports.free();
      Map<List<String>, String> cases = new LinkedHashMap<>();
      cases.put(line("65 127.0.0.1 5555 127.0.0.1 5556"), "from 1 to 64");
      cases.put(line("1 127.0.0.1 " + port + " 127.0.0.1 5556"), "cannot listen on 127.0.0.1");
      cases.put(line("1 192.0.2.1 " + free + " 127.0.0.1 5556"), "cannot listen on 192.0.2.1");
      cases.put(line("1 no.such..host " + free + " 127.0.0.1 5556"), "<addr> is \"no.such..host\"");
      cases.put(runningIn(Files.writeString(directory.resolve("file"), "x")), "run directory");
      cases.put(whitelisted(writableByAll()), "writable by group or others");
      cases.put(whitelisted(Files.createDirectory(directory.resolve("dir"))), "regular file");
      cases.put(
          whitelisted(Files.writeString(directory.resolve("broken"), "Path=/no/group\n")),
          "broken:1");
      cases.put(exposing("run/x.sock"), "the socket path run/x.sock does not start with /");
      cases.put(exposing("/x.sock,mode=9"), "mode \"9\" is not three octal digits");
      cases.put(exposing("/x.sock=" + directory.resolve("file")), "file is a regular file, not a");
      cases.put(exposing("/x.sock=" + directory.resolve("no/x.sock")), "make the directory");
      // One at a time where they would be in each other's way: they share the run directory.
      for (var one : cases.entrySet()) {
        assertAllRefused(Map.of(one.getKey(), one.getValue()));
      }
    }
  }

  private List<String> runningIn(Path run) throws IOException {
    return List.of(
        "--run-dir=" + run, "1", "127.0.0.1", Integer.toString(Ports.free()), "127.0.0.1", "5556");
  }

  private List<String> whitelisted(Path whitelist) throws IOException {
    List<String> arguments = new ArrayList<>(runningIn(directory.resolve("run")));
    arguments.add(0, "--whitelist=" + whitelist);
    return arguments;
  }

  private List<String> exposing(String spec) throws IOException {
    List<String> arguments = new ArrayList<>(runningIn(directory.resolve("run")));
    arguments.addAll(0, List.of("--whitelist=" + directory.resolve("none"), "--expose=" + spec));
    return arguments;
  }

  private Path writableByAll() throws IOException {
    Path file = Files.writeString(directory.resolve("loose"), "[Udsaccept]\nPath=/tmp\n");
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
  }

  @Test
  void helpIsNoFailure() throws Exception {
    try (DaemonProcess daemon = DaemonProcess.start(directory, List.of("--help"))) {
      assertThat(daemon.exitCode(30)).isZero();
      assertThat(daemon.stdout())
          .contains(
              "Usage: udsproxyd", "<peerport>", "  udsproxyd 1 10.0.0.1 12121 10.0.0.2 12121");
      assertThat(daemon.stderr()).isEmpty();
    }
  }

  @Test
  void aSecondInstanceIsRefused() throws Exception {
    List<String> first = runningIn(directory.resolve("run"));
    try (DaemonProcess _ = DaemonProcess.start(directory, first).ready()) {
      assertAllRefused(Map.of(runningIn(directory.resolve("run")), "another proxy is running"));
      assertThat(directory.resolve("run/remote_uds.sock")).exists();
    }
  }
}
