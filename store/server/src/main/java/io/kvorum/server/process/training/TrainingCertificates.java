package io.kvorum.server.process.training;

import io.kvorum.server.base.Der;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * The files that the members of a training run trust each other by: an authority and one certificate under it, RSA with its key in the older form (PKCS #1), which is what
 * most tools still write and what takes a start the longest way. Made with the JDK's own keytool.
 */
final class TrainingCertificates {
  static final String AUTHORITY = "ca.crt";
  static final String CERT = "server.crt";
  static final String KEY = "server.key";

  private static final String PASSWORD = "training";
  private static final int KEY_ELEMENT = 2;

  private final Path directory;
  private final Path store;

  TrainingCertificates(Path directory) {
    this.directory = directory;
    this.store = directory.resolve("keys.p12");
  }

  void write() throws IOException, InterruptedException {
    keytool("ca", "CN=training-ca", "-ext", "bc:c");
    keytool("server", "CN=training", "-signer", "ca", "-ext", "san=ip:127.0.0.1,dns:localhost", "-ext", "eku=serverAuth,clientAuth");
    try {
      KeyStore keys = KeyStore.getInstance(store.toFile(), PASSWORD.toCharArray());
      pem(AUTHORITY, "CERTIFICATE", keys.getCertificate("ca").getEncoded());
      pem(CERT, "CERTIFICATE", keys.getCertificate("server").getEncoded());
      byte[] pkcs8 = keys.getKey("server", PASSWORD.toCharArray()).getEncoded();
      pem(KEY, "RSA PRIVATE KEY", Der.elements(pkcs8).getFirst().inside().get(KEY_ELEMENT).content());
    } catch (GeneralSecurityException e) {
      throw new IOException("no certificates", e);
    }
  }

  private void keytool(String alias, String name, String... more) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair", "-alias", alias, "-dname", name, "-keyalg", "RSA", "-keysize", "2048",
                "-storetype", "PKCS12", "-keystore", store.toString(), "-storepass", PASSWORD));
    command.addAll(List.of(more));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException("keytool: " + said);
    }
  }

  private void pem(String file, String kind, byte[] der) throws IOException {
    String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    Files.writeString(directory.resolve(file), "-----BEGIN " + kind + "-----\n" + text + "\n-----END " + kind + "-----\n");
  }
}
