package qtfs.udsproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import qtfs.linux.Fd;
import qtfs.linux.UnixListener;
import qtfs.linux.UnixSocket;
import qtfs.testing.Await;
import qtfs.udsproxy.connector.ConnectRequest;

/** Who shows no certificate of the peer's is closed before anything of theirs is parsed. */
final class TlsTest {
  private static TestAuthority authority;
  private static TlsConfig host;
  private static TlsConfig renewed;
  private static TlsConfig elsewhere;
  private static TlsConfig stranger;

  @TempDir Path directory;

  @BeforeAll
  static void certify(@TempDir Path files) throws Exception {
    authority = TestAuthority.create(files.resolve("ca"));
    host = authority.host("host", "ip:127.0.0.1,dns:Host.Example", "127.0.0.1");
    renewed = authority.host("renewed", "ip:127.0.0.1", "127.0.0.1");
    elsewhere = authority.host("elsewhere", "dns:elsewhere,ip:127.0.0.2", "127.0.0.1");
    TlsConfig other =
        TestAuthority.create(files.resolve("other")).host("host", "ip:127.0.0.1", "127.0.0.1");
    stranger = trusting(other, authority);
  }

  private static TlsConfig trusting(TlsConfig tls, TestAuthority whom) {
    return new TlsConfig(tls.certificate(), tls.key(), whom.certificate(), tls.peerNames());
  }

  /** Neither side gets anywhere, and both in time. */
  private void assertNoLink(@Nullable TlsConfig a, @Nullable TlsConfig b) throws Exception {
    try (ProxyPair proxies = ProxyPair.secured(directory, a, b);
        UnixListener listener = proxies.listen("t.sock")) {
      String path = proxies.path("t.sock").toString();
      byte[] request = new ConnectRequest(UnixSocket.Type.STREAM, path).encode();
      assertThat(proxies.ask(request)).isZero();
      Statistics asked = proxies.b().shared().statistics();
      Await.until("it is refused and counted", () -> asked.refusals() > 0);
      assertThat(asked.sessions()).isZero();
      assertThat(listener.accept(false)).isNegative();
    }
  }

  @Test
  void whoOthersHaveCertifiedIsRefused() throws Exception {
    assertNoLink(stranger, host);
  }

  @Test
  void whoIsSomebodyElseIsRefused() throws Exception {
    assertNoLink(elsewhere, host);
  }

  @Test
  void whoIsSomebodyElseIsNotAsked() throws Exception {
    assertNoLink(host, elsewhere);
  }

  @Test
  void whoSpeaksNoTlsIsRefused() throws Exception {
    assertNoLink(null, host);
  }

  @Test
  void whoSpeaksTlsAloneIsRefused() throws Exception {
    assertNoLink(host, null);
  }

  @ParameterizedTest
  @CsvSource({"host.example, true", "elsewhere, false", "127.0.0.3, false", "::1, false"})
  void theNamesAreTheOperators(String name, boolean accepted) throws Exception {
    TlsConfig tls =
        new TlsConfig(host.certificate(), host.key(), host.authority(), List.of("nobody", name));
    if (!accepted) {
      assertNoLink(host, tls);
      return;
    }
    try (ProxyPair proxies = ProxyPair.secured(directory, tls, tls);
        UnixListener listener = proxies.listen("t.sock")) {
      assertCarries(proxies, listener);
    }
  }

  private static void assertCarries(ProxyPair proxies, UnixListener listener) throws Exception {
    try (Fd application = proxies.connect("t.sock");
        Fd server = ProxyPair.accept(listener)) {
      Sockets.write(application, "hello");
      assertThat(Sockets.readText(server, 5)).isEqualTo("hello");
    }
  }

  /** A proxy whose peer is the test, and has to show a certificate within 1.5 s. */
  private static Peer secured(Path directory) throws Exception {
    Deadlines all = ProxyPair.DEADLINES;
    Deadlines hasty =
        new Deadlines(Duration.ofMillis(1500), all.pairing(), all.pipe(), all.stopping());
    return Peer.configured(directory, config -> config.deadlines(hasty).tls(host));
  }

  @Test
  void whoSaysNothingIsDroppedInTime() throws Exception {
    try (Peer peer = secured(directory);
        Peer.Link silent = peer.connect()) {
      assertThat(silent.ended()).isTrue();
    }
  }

  @Test
  void garbageIsDropped() throws Exception {
    byte[] garbage = new byte[4096];
    new Random(5).nextBytes(garbage);
    try (Peer peer = secured(directory)) {
      for (int length = 1; length < garbage.length; length *= 4) {
        try (Peer.Link mad = peer.connect()) {
          mad.send(java.util.Arrays.copyOf(garbage, length));
          mad.end();
          while (mad.readSome().length > 0) {
            // An alert, perhaps.
          }
        }
      }
      assertThat(peer.daemon().shared().statistics().sessions()).isZero();
      assertThat(peer.daemon().shared().statistics().protocolErrors()).isZero();
    }
  }

  @Test
  void certificatesAreReadAgainAndSessionsStay() throws Exception {
    TlsConfig used = copy(host);
    try (ProxyPair proxies = ProxyPair.secured(directory, used, host);
        UnixListener listener = proxies.listen("t.sock");
        Fd application = proxies.connect("t.sock");
        Fd server = ProxyPair.accept(listener)) {
      replace(used, renewed);
      proxies.a().reloadTls();
      assertCarries(proxies, listener);
      Files.writeString(used.certificate(), "broken");
      proxies.a().reloadTls();
      assertCarries(proxies, listener);
      replace(used, elsewhere);
      proxies.a().reloadTls();
      String path = proxies.path("t.sock").toString();
      assertThat(proxies.ask(new ConnectRequest(UnixSocket.Type.STREAM, path).encode())).isZero();
      Sockets.write(application, "still");
      assertThat(Sockets.readText(server, 5)).isEqualTo("still");
    }
  }

  private TlsConfig copy(TlsConfig tls) throws Exception {
    TlsConfig copy =
        new TlsConfig(
            directory.resolve("used.crt"),
            directory.resolve("used.key"),
            tls.authority(),
            tls.peerNames());
    replace(copy, tls);
    return copy;
  }

  private static void replace(TlsConfig used, TlsConfig by) throws Exception {
    Files.writeString(used.certificate(), Files.readString(by.certificate()));
    Files.deleteIfExists(used.key());
    Files.copy(by.key(), used.key());
  }

  @Test
  void whatCannotBeUsedIsALine() throws Exception {
    Path open = Files.copy(host.key(), directory.resolve("open.key"));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rw-r-----"));
    assertUnusable(host.certificate(), open, host.authority(), "open.key: a private key that");
    Path none = directory.resolve("none");
    assertUnusable(none, host.key(), host.authority(), "none: no such file");
    assertUnusable(host.certificate(), none, host.authority(), "none: no such file");
    assertUnusable(host.certificate(), host.key(), none, "none: no such file");
    Path text = Files.writeString(directory.resolve("text"), "no certificate\n");
    Files.setPosixFilePermissions(text, PosixFilePermissions.fromString("rw-------"));
    assertUnusable(text, host.key(), host.authority(), "text: ");
    assertUnusable(host.certificate(), host.key(), text, "text: ");
    assertUnusable(host.certificate(), text, host.authority(), "PKCS #8");
    assertUnusable(host.certificate(), elsewhere.key(), host.authority(), "elsewhere.key");
  }

  private static void assertUnusable(Path certificate, Path key, Path authority, String said) {
    TlsConfig tls = new TlsConfig(certificate, key, authority, List.of("127.0.0.1"));
    assertThatThrownBy(() -> LinkTls.start(tls, ProxyPair.DEADLINES.handshake()))
        .isInstanceOf(StartException.class)
        .hasMessageContaining(said)
        .message()
        .hasLineCount(1);
  }
}
