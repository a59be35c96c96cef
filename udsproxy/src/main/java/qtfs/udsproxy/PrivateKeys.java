package qtfs.udsproxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Private keys in files: PEM, PKCS #8, not encrypted. */
final class PrivateKeys {
  private static final Pattern PEM =
      Pattern.compile("-----BEGIN PRIVATE KEY-----([^-]*)-----END PRIVATE KEY-----");

  private PrivateKeys() {}

  /**
   * Reads the key that goes with a certificate's.
   *
   * @throws IOException if there is none, or another's
   */
  static PrivateKey read(Path file, PublicKey certified) throws IOException {
    Matcher pem = PEM.matcher(Files.readString(file, ISO_8859_1));
    if (!pem.find()) {
      throw new IOException(
          file + ": no private key in PEM, PKCS #8 and not encrypted: openssl pkcs8 -topk8 -nodes");
    }
    try {
      byte[] encoded = Base64.getMimeDecoder().decode(pem.group(1));
      PrivateKey key =
          KeyFactory.getInstance(certified.getAlgorithm())
              .generatePrivate(new PKCS8EncodedKeySpec(encoded));
      if (goTogether(key, certified)) {
        return key;
      }
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new IOException(file + ": not the certificate's key: " + e.getMessage(), e);
    }
    throw new IOException(file + ": not the certificate's key");
  }

  private static boolean goTogether(PrivateKey key, PublicKey certified)
      throws GeneralSecurityException {
    Signature signature = Signature.getInstance(algorithm(certified.getAlgorithm()));
    byte[] text = {1, 2, 3};
    signature.initSign(key);
    signature.update(text);
    byte[] signed = signature.sign();
    signature.initVerify(certified);
    signature.update(text);
    return signature.verify(signed);
  }

  private static String algorithm(String key) {
    return switch (key) {
      case "EC" -> "SHA256withECDSA";
      case "RSA" -> "SHA256withRSA";
      default -> key; // EdDSA
    };
  }
}
