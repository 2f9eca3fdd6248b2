package io.kvorum.server.tls;

import io.kvorum.server.config.TlsSettings;
import io.kvorum.server.logging.Log;
import io.kvorum.server.tls.TlsMaterial.Identity;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * The files of one side. Looked at before each handshake; when one has changed, all are taken anew, or, if they do not fit each other (a rotation half done),
 * those in use stay and the log says why, once for each state of the files.
 */
public final class TlsFiles {
  private static final Log LOG = Log.of(TlsFiles.class);

  private final TlsSettings settings;
  private final WatchedFile cert;
  private final WatchedFile key;
  private final WatchedFile clientCert;
  private final WatchedFile clientKey;
  private final WatchedFile authorities;
  private final WatchedFile revoked;
  private final List<WatchedFile> all = new ArrayList<>();
  private volatile TlsMaterial current;
  private boolean pending;
  private String complaint = "";

  private TlsFiles(TlsSettings settings) {
    this.settings = settings;
    this.cert = watch(settings.certFile());
    this.key = watch(settings.keyFile());
    this.clientCert = watch(settings.clientCertFile());
    this.clientKey = watch(settings.clientKeyFile());
    this.authorities = watch(settings.trustedCaFile());
    this.revoked = watch(settings.crlFile());
  }

  /**
   * Reads them.
   *
   * @throws TlsException when one is missing or wrong
   */
  public static TlsFiles open(TlsSettings settings) throws TlsException {
    TlsFiles files = new TlsFiles(settings);
    for (WatchedFile file : files.all) {
      file.look();
    }
    files.current = files.read();
    return files;
  }

  /**
   * Reads all files as a start would, without taking them.
   *
   * @throws TlsException with the reason that would refuse a start
   */
  public void verify() throws TlsException {
    TlsMaterial material = open(settings).current;
    if (material.own() != null) {
      Contexts.server(settings, material, List.of(Contexts.HTTP2));
    }
    if (material.outgoing() != null || !material.authorities().isEmpty()) {
      Contexts.client(settings, material);
    }
  }

  /** As {@link #look}, but reads every file, however unchanged it looks. */
  public synchronized TlsMaterial lookCloser() {
    all.forEach(WatchedFile::forget);
    return look();
  }

  private WatchedFile watch(String path) {
    if (path.isEmpty()) {
      return null;
    }
    WatchedFile file = new WatchedFile(path);
    all.add(file);
    return file;
  }

  /** What counts now. Never fails: what cannot be read leaves the former in force. */
  public synchronized TlsMaterial look() {
    try {
      for (WatchedFile file : all) {
        pending |= file.look();
      }
      if (pending) {
        pending = false;
        current = read();
        complaint = "";
        X509Certificate leaf = current.certificate();
        LOG.info(
            "reloaded TLS files", "files", names(), "subject", leaf == null ? "" : leaf.getSubjectX500Principal().getName(),
            "not-after", leaf == null ? "" : Instant.ofEpochMilli(leaf.getNotAfter().getTime()).toString());
      }
    } catch (TlsException e) {
      if (!complaint.equals(e.getMessage())) {
        complaint = e.getMessage();
        LOG.warn("cannot reload TLS files; those loaded before stay in use", "files", names(), "error", e.getMessage());
      }
    }
    return current;
  }

  private List<String> names() {
    return all.stream().map(WatchedFile::name).toList();
  }

  private TlsMaterial read() throws TlsException {
    Identity own = identity(cert, key);
    Identity outgoing = clientCert == null ? own : identity(clientCert, clientKey);
    List<X509Certificate> trusted = authorities == null ? List.of() : Pem.certificates(authorities.name(), authorities.content());
    List<X509CRL> lists = revoked == null ? List.of() : Pem.revocations(revoked.name(), revoked.content());
    return new TlsMaterial(own, outgoing, trusted, lists);
  }

  private static Identity identity(WatchedFile cert, WatchedFile key) throws TlsException {
    if (cert == null || key == null) {
      return null;
    }
    return new Identity(Pem.certificates(cert.name(), cert.content()), Pem.privateKey(key.name(), key.content())).checked(key.name());
  }
}
