package qtfs.udsproxy;

import static java.nio.file.attribute.PosixFilePermission.GROUP_READ;
import static java.nio.file.attribute.PosixFilePermission.GROUP_WRITE;
import static java.nio.file.attribute.PosixFilePermission.OTHERS_READ;
import static java.nio.file.attribute.PosixFilePermission.OTHERS_WRITE;

import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Set;
import java.util.stream.Stream;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * What was in the files of a {@link TlsConfig} when they were read, for both sides of a handshake:
 * TLS 1.3 and nothing else, and both sides show a certificate. Native memory that {@link #release}
 * gives back once the links made with it are gone.
 */
record TlsContexts(SslContext accepting, SslContext connecting) {
  private static final String PROTOCOL = "TLSv1.3";

  /**
   * Reads the files.
   *
   * @throws IOException if one cannot be used: which, why, and what to do
   */
  static TlsContexts load(TlsConfig config, SslProvider provider) throws IOException {
    requirePrivate(config.key());
    X509Certificate[] chain = certificates(config.certificate());
    PrivateKey key = PrivateKeys.read(config.key(), chain[0].getPublicKey());
    PeerTrust trust =
        new PeerTrust(trusting(config.authority()), new PeerNames(config.peerNames()));
    SslContext accepting =
        SslContextBuilder.forServer(key, chain)
            .clientAuth(ClientAuth.REQUIRE)
            .trustManager(trust)
            .protocols(PROTOCOL)
            .sslProvider(provider)
            .build();
    SslContext connecting =
        SslContextBuilder.forClient()
            .keyManager(key, chain)
            .trustManager(trust)
            .endpointIdentificationAlgorithm(null) // PeerTrust does it
            .protocols(PROTOCOL)
            .sslProvider(provider)
            .build();
    return new TlsContexts(accepting, connecting);
  }

  private static void requirePrivate(Path key) throws IOException {
    Set<?> permissions;
    try {
      permissions = Files.getPosixFilePermissions(key);
    } catch (NoSuchFileException e) {
      throw new IOException(key + ": no such file", e);
    }
    if (Stream.of(GROUP_READ, GROUP_WRITE, OTHERS_READ, OTHERS_WRITE)
        .anyMatch(permissions::contains)) {
      throw new IOException(key + ": a private key that others can read: chmod 600 " + key);
    }
  }

  private static X509Certificate[] certificates(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      X509Certificate[] all =
          CertificateFactory.getInstance("X.509").generateCertificates(in).stream()
              .map(X509Certificate.class::cast)
              .toArray(X509Certificate[]::new);
      if (all.length == 0) {
        throw new IOException(file + ": no certificate in PEM");
      }
      return all;
    } catch (NoSuchFileException e) {
      throw new IOException(file + ": no such file", e);
    } catch (CertificateException e) {
      throw new IOException(file + ": " + e.getMessage() + "; must be certificates in PEM", e);
    }
  }

  private static X509ExtendedTrustManager trusting(Path authority) throws IOException {
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      for (Certificate certificate : certificates(authority)) {
        store.setCertificateEntry("ca" + store.size(), certificate);
      }
      TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
      factory.init(store);
      return (X509ExtendedTrustManager) factory.getTrustManagers()[0];
    } catch (GeneralSecurityException e) {
      throw new IOException(authority + ": " + e.getMessage(), e);
    }
  }

  void release() {
    ReferenceCountUtil.release(accepting);
    ReferenceCountUtil.release(connecting);
  }
}
