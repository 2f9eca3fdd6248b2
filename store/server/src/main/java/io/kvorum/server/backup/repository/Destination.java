package io.kvorum.server.backup.repository;

import io.kvorum.mvcc.FailPoint;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Pattern;
import software.amazon.awssdk.services.s3.S3Client;

/** Where backups are: {@code /folder}, {@code file:///folder}, {@code s3://bucket/prefix} or {@code gs://bucket/prefix}. */
public final class Destination {
  private static final Pattern BUCKET = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{1,220}[A-Za-z0-9]");
  private static final Pattern PREFIX = Pattern.compile("[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*");

  private Destination() {}

  /** Opens the place; whether it can be reached shows at the first call. */
  public static ObjectStore parse(String location, S3Options options) throws IOException {
    return parse(location, options, FailPoint.NONE);
  }

  /**
   * As above, with what tests replace.
   *
   * @param failPoint told the names of {@link BackupFailPoints}
   * @throws IllegalArgumentException if the location is none of the forms; the message says why
   */
  public static ObjectStore parse(String location, S3Options options, FailPoint failPoint) throws IOException {
    if (location.startsWith("/")) {
      return new FolderStore(Path.of(location), failPoint);
    }
    URI uri = uri(location);
    return switch (uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT)) {
      case "file" -> new FolderStore(folder(uri, location), failPoint);
      case "s3", "gs" -> bucket(uri, location, options);
      default -> throw wrong(location, "not /folder, file:///folder, s3://bucket/prefix or gs://bucket/prefix");
    };
  }

  private static URI uri(String location) {
    try {
      URI uri = new URI(location);
      if (uri.getUserInfo() != null || uri.getQuery() != null || uri.getFragment() != null) {
        throw new IllegalArgumentException("a destination with user, query or fragment");
      }
      return uri;
    } catch (URISyntaxException e) {
      throw wrong(location, "not a URL");
    }
  }

  private static Path folder(URI uri, String location) {
    boolean local = uri.getAuthority() == null || uri.getAuthority().isEmpty();
    if (!local || uri.getPath() == null || !uri.getPath().startsWith("/")) {
      throw wrong(location, "a folder is file:///folder, with three slashes");
    }
    return Path.of(uri.getPath());
  }

  /** The only place that knows the classes of object storage: who keeps backups in a folder never loads them. */
  private static ObjectStore bucket(URI uri, String location, S3Options options) throws IOException {
    String bucket = uri.getAuthority() == null ? "" : uri.getAuthority();
    if (!BUCKET.matcher(bucket).matches()) {
      throw wrong(location, "no name of a bucket behind " + uri.getScheme() + "://");
    }
    String path = uri.getPath().replaceAll("^/|/$", "");
    if (!path.isEmpty() && !PREFIX.matcher(path).matches()) {
      throw wrong(location, "the prefix is made of letters, digits, . _ - and single slashes");
    }
    String scheme = uri.getScheme().toLowerCase(Locale.ROOT);
    S3Client client = S3Clients.create(options, scheme.equals("gs"), S3Clients.BACKOFF_MIN);
    return new S3Store(client, scheme, bucket, path.isEmpty() ? "" : path + "/", S3Store.PART_BYTES, RateLimit.Sleeper.SYSTEM);
  }

  private static IllegalArgumentException wrong(String location, String why) {
    return new IllegalArgumentException("destination " + location + ": " + why);
  }
}
