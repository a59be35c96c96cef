package qtfs.udsproxy;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A certificate authority that exists for a test, made with the keytool of the JDK that runs it.
 */
final class TestAuthority {
  private static final String PASSWORD = "test-only";

  private final Path directory;
  private final Path store;

  private TestAuthority(Path directory) {
    this.directory = directory;
    this.store = directory.resolve("store.p12");
  }

  /** A new one, in a directory of its own. */
  static TestAuthority create(Path directory) throws Exception {
    TestAuthority authority = new TestAuthority(Files.createDirectories(directory));
    authority.generate("ca", "-ext", "bc:c");
    authority.write("ca.crt", "CERTIFICATE", authority.load().getCertificate("ca").getEncoded());
    return authority;
  }

  /** The file to trust it by. */
  Path certificate() {
    return directory.resolve("ca.crt");
  }

  /**
   * Makes a host's files.
   *
   * @param name of the files
   * @param alternatives such as {@code ip:127.0.0.1}
   * @param peerNames that the host expects
   */
  TlsConfig host(String name, String alternatives, String... peerNames) throws Exception {
    generate(name, "-signer", "ca", "-ext", "san=" + alternatives);
    KeyStore keys = load();
    Certificate own = keys.getCertificateChain(name)[0];
    byte[] key = keys.getKey(name, PASSWORD.toCharArray()).getEncoded();
    return new TlsConfig(
        write(name + ".crt", "CERTIFICATE", own.getEncoded()),
        write(name + ".key", "PRIVATE KEY", key),
        certificate(),
        List.of(peerNames));
  }

  private void generate(String alias, String... more) throws Exception {
    List<String> command =
        new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/keytool", "-genkeypair"));
    command.addAll(List.of("-alias", alias, "-dname", "CN=" + alias, "-validity", "2"));
    command.addAll(List.of("-keyalg", "EC", "-groupname", "secp256r1"));
    command.addAll(List.of("-keystore", store.toString(), "-storepass", PASSWORD));
    command.addAll(List.of(more));
    Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(keytool.getInputStream().readAllBytes(), US_ASCII);
    if (!keytool.waitFor(60, TimeUnit.SECONDS) || keytool.exitValue() != 0) {
      throw new AssertionError(command + ": " + said);
    }
  }

  private KeyStore load() throws Exception {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    return keys;
  }

  private Path write(String name, String kind, byte[] content) throws IOException {
    String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
    Path file = directory.resolve(name);
    Files.writeString(
        file, "-----BEGIN " + kind + "-----\n" + body + "\n-----END " + kind + "-----\n");
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
  }
}
