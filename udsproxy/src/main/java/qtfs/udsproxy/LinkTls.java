package qtfs.udsproxy;

import io.netty.channel.Channel;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.time.Duration;
import java.util.function.Consumer;
import qtfs.linux.Log;

/**
 * The mutual TLS of a proxy's links. A link that there is keeps what it was made with; {@link
 * #reload} changes what later ones are made with. For any thread.
 *
 * <p>Only this and what it uses know of TLS libraries: a proxy without TLS loads none.
 */
final class LinkTls {
  private final TlsConfig config;
  private final Duration handshake;
  private final SslProvider provider;
  private TlsContexts contexts;
  private volatile int generation;

  private LinkTls(TlsConfig config, Duration handshake, SslProvider provider) throws IOException {
    this.config = config;
    this.handshake = handshake;
    this.provider = provider;
    this.contexts = TlsContexts.load(config, provider);
  }

  /**
   * Reads the files and says in the log who does the work.
   *
   * @param handshake the time that a handshake may take
   * @throws StartException if a file cannot be used
   */
  static LinkTls start(TlsConfig config, Duration handshake) throws StartException {
    SslProvider provider = OpenSsl.isAvailable() ? SslProvider.OPENSSL_REFCNT : SslProvider.JDK;
    LinkTls tls = start(config, handshake, provider);
    Log.info(
        "TLS 1.3 on the link, by "
            + (provider == SslProvider.JDK
                ? "the JDK, for there is no netty-tcnative: "
                    + OpenSsl.unavailabilityCause().getMessage()
                : OpenSsl.versionString())
            + "; the peer is "
            + String.join(" or ", config.peerNames()));
    return tls;
  }

  static LinkTls start(TlsConfig config, Duration handshake, SslProvider provider)
      throws StartException {
    try {
      return new LinkTls(config, handshake, provider);
    } catch (IOException e) {
      throw new StartException(e);
    }
  }

  /** Checks that the files can be used. */
  static void check(TlsConfig config) throws IOException {
    TlsContexts.load(config, SslProvider.JDK).release();
  }

  /** Reads the files again; if one is broken, all stays as it is, with a line in the log. */
  void reload() {
    try {
      TlsContexts next = TlsContexts.load(config, provider);
      swap(next).release();
      Log.info("certificates read again from " + config.certificate());
    } catch (IOException e) {
      Log.error("the certificates stay as they are: " + e.getMessage());
    }
  }

  /** How often the certificates have changed. */
  int generation() {
    return generation;
  }

  /** Gives the memory back; after the last link has been made. */
  synchronized void close() {
    contexts.release();
  }

  private synchronized TlsContexts swap(TlsContexts next) {
    TlsContexts old = contexts;
    contexts = next;
    generation++;
    return old;
  }

  /**
   * Secures a link that the peer has opened, before any other handler is there.
   *
   * @param secured called once the peer has shown who it is, on the loop's thread
   * @param refused called otherwise, with the reason; the link is closed then
   */
  void accept(Channel channel, Runnable secured, Consumer<String> refused) {
    secure(channel, true, new SecuredLink(secured, refused));
    channel.read();
  }

  /** Secures a link to the peer, before any other handler is there: those behind are told. */
  void connect(Channel channel) {
    secure(channel, false, new SecuredLink(() -> {}, null));
  }

  private void secure(Channel channel, boolean accepted, SecuredLink link) {
    SslHandler handler = handler(channel, accepted);
    handler.setHandshakeTimeoutMillis(handshake.toMillis());
    channel.pipeline().addLast(handler, link);
  }

  /** Not while the context is released. */
  private synchronized SslHandler handler(Channel channel, boolean accepted) {
    SslContext context = accepted ? contexts.accepting() : contexts.connecting();
    return context.newHandler(channel.alloc());
  }
}
