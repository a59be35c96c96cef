package qtfs.udsproxy;

import java.nio.file.Path;
import java.util.List;

/**
 * What a proxy secures its link with. Immutable; the files are read at the start and at each
 * reload.
 *
 * @param certificate PEM: this host's certificate, and any between it and the authority
 * @param key PEM: the certificate's private key, for nobody else to read
 * @param authority PEM: whom to trust about the peer's certificate
 * @param peerNames host names and IP addresses of which the peer's certificate has to have one
 */
public record TlsConfig(Path certificate, Path key, Path authority, List<String> peerNames) {
  public TlsConfig {
    peerNames = List.copyOf(peerNames);
  }

  /** The files, for who watches them. */
  public List<Path> files() {
    return List.of(certificate, key, authority);
  }
}
