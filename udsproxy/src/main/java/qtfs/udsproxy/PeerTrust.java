package qtfs.udsproxy;

import io.netty.handler.ssl.OpenSslCertificateException;
import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Trusts the peer and nobody else: whose certificate the authority has signed and has one of the
 * {@link PeerNames}. Asked within the handshake, so that the other side is told too. For any
 * thread.
 */
final class PeerTrust extends X509ExtendedTrustManager {
  private static final int X509_V_ERR_CERT_REJECTED = 28; // openssl/x509.h

  private final X509ExtendedTrustManager authority;
  private final PeerNames names;

  PeerTrust(X509ExtendedTrustManager authority, PeerNames names) {
    this.authority = authority;
    this.names = names;
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, @Nullable SSLEngine engine)
      throws CertificateException {
    try {
      authority.checkClientTrusted(chain, type, engine);
      names.require(chain[0]);
    } catch (CertificateException e) {
      throw told(e);
    }
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, @Nullable SSLEngine engine)
      throws CertificateException {
    try {
      authority.checkServerTrusted(chain, type, engine);
      names.require(chain[0]);
    } catch (CertificateException e) {
      throw told(e);
    }
  }

  /** With the alert for the other side, which the native library takes from here. */
  private static CertificateException told(CertificateException refusal) {
    return new OpenSslCertificateException(
        String.valueOf(refusal.getMessage()), refusal, X509_V_ERR_CERT_REJECTED);
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return authority.getAcceptedIssuers();
  }

  // ---- for connections without an engine, which there are not

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
    throw new CertificateException("no engine");
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
    throw new CertificateException("no engine");
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
      throws CertificateException {
    throw new CertificateException("no engine");
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
      throws CertificateException {
    throw new CertificateException("no engine");
  }
}
