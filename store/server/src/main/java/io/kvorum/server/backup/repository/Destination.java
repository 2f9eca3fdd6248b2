package io.kvorum.server.backup.repository;

import io.kvorum.mvcc.FailPoint;
import io.kvorum.server.backup.repository.BackupException.Reason;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Locale;

/** Where backups are: {@code /folder}, {@code file:///folder}, {@code s3://bucket/prefix} or {@code gs://bucket/prefix}. */
public final class Destination {
  private Destination() {}

  /** Opens the place; whether it can be reached shows at the first call. */
  public static ObjectStore parse(String location, S3Options options) throws IOException {
    return parse(location, options, InstantSource.system(), FailPoint.NONE);
  }

  /**
   * @param clock for the ages of files in a folder
   * @param failPoint told the names of {@link BackupFailPoints}
   * @throws IllegalArgumentException if the location is none of the forms; the message says why
   */
  public static ObjectStore parse(String location, S3Options options, InstantSource clock, FailPoint failPoint) throws IOException {
    if (location.startsWith("/")) {
      return new FolderStore(Path.of(location), clock, failPoint);
    }
    URI uri = uri(location);
    return switch (uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT)) {
      case "file" -> new FolderStore(folder(uri, location), clock, failPoint);
      case "s3", "gs" -> throw new BackupException(Reason.FAILED, location + ": object storage is not built yet");
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

  private static IllegalArgumentException wrong(String location, String why) {
    return new IllegalArgumentException("destination " + location + ": " + why);
  }
}
