package qtfs.udsproxy;

import io.netty.util.NetUtil;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The names and addresses that a peer may have: its certificate must have one of them among its
 * subject alternative names, letter by letter but for case; there are no wildcards. Immutable.
 */
record PeerNames(List<String> names) {
  private static final int DNS = 2; // GeneralName, RFC 5280 4.2.1.6
  private static final int IP = 7;

  /** Refuses a certificate that has none of them. */
  void require(X509Certificate certificate) throws CertificateException {
    Collection<List<?>> alternatives = certificate.getSubjectAlternativeNames();
    if (alternatives == null || alternatives.stream().noneMatch(this::isListed)) {
      throw new CertificateException(
          "the certificate of "
              + certificate.getSubjectX500Principal()
              + " is for "
              + text(alternatives)
              + ", and the peer may be "
              + String.join(" or ", names)
              + " (--tls-peer)");
    }
  }

  private boolean isListed(List<?> alternative) {
    String value = String.valueOf(alternative.get(1));
    return switch ((Integer) alternative.get(0)) {
      case DNS -> names.stream().anyMatch(value::equalsIgnoreCase);
      case IP -> names.stream().anyMatch(name -> isSameAddress(name, value));
      default -> false;
    };
  }

  /** IPv6 is written in more than one way. */
  private static boolean isSameAddress(String name, String address) {
    byte[] bytes = NetUtil.createByteArrayFromIpAddressString(name);
    return bytes != null
        && Arrays.equals(bytes, NetUtil.createByteArrayFromIpAddressString(address));
  }

  private static String text(@Nullable Collection<List<?>> alternatives) {
    return alternatives == null
        ? "nobody (it has no subject alternative name)"
        : String.join(", ", alternatives.stream().map(a -> String.valueOf(a.get(1))).toList());
  }
}
