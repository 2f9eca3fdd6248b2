package io.kvorum.server.backup.repository;

import io.kvorum.server.backup.repository.BackupException.Reason;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.MultipartUpload;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * Objects of a bucket of S3 or what speaks like it. What is larger than a part goes up in parts, of which one is in memory at a time; the object appears when the last one is there. Calls that
 * fail are repeated a bounded number of times.
 */
final class S3Store implements ObjectStore {
  /** S3 takes no parts below 5 MiB, and at most 10,000 of them. */
  static final int PART_BYTES = 8 << 20;

  private static final int PARTS_MAX = 10_000;
  private static final int NOT_FOUND = 404;
  private static final int NOT_IMPLEMENTED = 501;
  private static final int METHOD_NOT_ALLOWED = 405;
  private static final String TYPE = "application/octet-stream";

  private final S3Client client;
  private final String scheme;
  private final String bucket;
  private final String prefix;
  private final int partBytes;
  private final RateLimit.Sleeper sleeper;

  /**
   * @param scheme for {@link #uri}
   * @param prefix empty, or ends with a slash
   * @param partBytes of the parts of large objects, unless these would be too many
   * @param sleeper waits before a broken download is taken up again
   */
  S3Store(S3Client client, String scheme, String bucket, String prefix, int partBytes, RateLimit.Sleeper sleeper) {
    this.client = client;
    this.scheme = scheme;
    this.bucket = bucket;
    this.prefix = prefix;
    this.partBytes = partBytes;
    this.sleeper = sleeper;
  }

  @Override
  public Optional<StoredObject> find(String name) throws IOException {
    try {
      HeadObjectResponse head = client.headObject(request -> request.bucket(bucket).key(key(name)));
      return Optional.of(new StoredObject(name, head.contentLength(), head.lastModified()));
    } catch (S3Exception e) {
      if (e.statusCode() == NOT_FOUND) {
        return Optional.empty();
      }
      throw failed("find", name, e);
    } catch (SdkException e) {
      throw failed("find", name, e);
    }
  }

  @Override
  public InputStream open(String name) throws IOException {
    return new S3Download(client, bucket, key(name), sleeper, e -> failed("read", name, e));
  }

  @Override
  public void put(String name, Content content) throws IOException {
    String key = key(name);
    long size = Math.max(partBytes, Math.ceilDiv(content.bytes(), PARTS_MAX));
    if (size > Integer.MAX_VALUE - 8) {
      throw new BackupException(Reason.FAILED, uri(name) + ": " + content.bytes() + " bytes are too many for one object");
    }
    try (InputStream in = content.open()) {
      if (content.bytes() <= size) {
        byte[] whole = read(in, (int) content.bytes(), name);
        requireEnd(in, name);
        client.putObject(
            request -> request.bucket(bucket).key(key).contentType(TYPE).contentMD5(md5(whole)), RequestBody.fromContentProvider(() -> new ByteArrayInputStream(whole), whole.length, TYPE));
      } else {
        putParts(name, key, in, content.bytes(), (int) size);
      }
    } catch (SdkException e) {
      throw failed("write", name, e);
    }
  }

  private void putParts(String name, String key, InputStream in, long bytes, int size) throws IOException {
    String upload = client.createMultipartUpload(request -> request.bucket(bucket).key(key).contentType(TYPE)).uploadId();
    try {
      List<CompletedPart> parts = new ArrayList<>();
      for (long done = 0; done < bytes; done += size) {
        byte[] part = read(in, (int) Math.min(size, bytes - done), name);
        int number = parts.size() + 1;
        if (done + part.length == bytes) {
          requireEnd(in, name);
        }
        String tag =
            client
                .uploadPart(
                    request -> request.bucket(bucket).key(key).uploadId(upload).partNumber(number).contentMD5(md5(part)),
                    RequestBody.fromContentProvider(() -> new ByteArrayInputStream(part), part.length, TYPE))
                .eTag();
        parts.add(CompletedPart.builder().partNumber(number).eTag(tag).build());
      }
      client.completeMultipartUpload(request -> request.bucket(bucket).key(key).uploadId(upload).multipartUpload(all -> all.parts(parts)));
    } catch (IOException | RuntimeException e) {
      abort(key, upload, e);
      throw e;
    }
  }

  /** What is left of it otherwise goes with {@link #removePartial}. */
  private void abort(String key, String upload, Exception why) {
    try {
      client.abortMultipartUpload(request -> request.bucket(bucket).key(key).uploadId(upload));
    } catch (SdkException e) {
      why.addSuppressed(e);
    }
  }

  private byte[] read(InputStream in, int length, String name) throws IOException {
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length) {
      throw new BackupException(Reason.FAILED, uri(name) + ": the content ends early");
    }
    return bytes;
  }

  /** Reading the end makes a stream check what it has given. */
  private void requireEnd(InputStream in, String name) throws IOException {
    if (in.read() >= 0) {
      throw new BackupException(Reason.FAILED, uri(name) + ": the content is longer than it was");
    }
  }

  private static String md5(byte[] bytes) {
    try {
      return Base64.getEncoder().encodeToString(MessageDigest.getInstance("MD5").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("MD5 is part of every runtime", e);
    }
  }

  @Override
  public List<StoredObject> list(String name) throws IOException {
    List<StoredObject> found = new ArrayList<>();
    try {
      for (S3Object object : client.listObjectsV2Paginator(request -> request.bucket(bucket).prefix(prefix + name)).contents()) {
        found.add(new StoredObject(object.key().substring(prefix.length()), object.size(), object.lastModified()));
      }
    } catch (SdkException e) {
      throw failed("list", name, e);
    }
    found.sort(Comparator.comparing(StoredObject::name));
    return found;
  }

  @Override
  public void delete(String name) throws IOException {
    try {
      client.deleteObject(request -> request.bucket(bucket).key(key(name)));
    } catch (S3Exception e) {
      if (e.statusCode() != NOT_FOUND) {
        throw failed("delete", name, e);
      }
    } catch (SdkException e) {
      throw failed("delete", name, e);
    }
  }

  @Override
  public int removePartial(Instant before) throws IOException {
    int removed = 0;
    try {
      for (MultipartUpload upload : client.listMultipartUploadsPaginator(request -> request.bucket(bucket).prefix(prefix)).uploads()) {
        if (upload.initiated().isBefore(before)) {
          client.abortMultipartUpload(request -> request.bucket(bucket).key(upload.key()).uploadId(upload.uploadId()));
          removed++;
        }
      }
    } catch (S3Exception e) {
      // Some that speak like S3 have no such list, and clean up by themselves.
      if (e.statusCode() != NOT_IMPLEMENTED && e.statusCode() != METHOD_NOT_ALLOWED && e.statusCode() != NOT_FOUND) {
        throw failed("list interrupted writes", "", e);
      }
    } catch (SdkException e) {
      throw failed("list interrupted writes", "", e);
    }
    return removed;
  }

  @Override
  public String uri(String name) {
    return scheme + "://" + bucket + "/" + prefix + name;
  }

  @Override
  public void close() {
    client.close();
  }

  private String key(String name) {
    return prefix + ObjectNames.object(name);
  }

  /** Without the server's text and without the exception: nobody knows what of the request they repeat. */
  private BackupException failed(String what, String name, SdkException failure) {
    String where = uri(name) + ": " + what + ": ";
    if (failure instanceof S3Exception answer) {
      String code = answer.awsErrorDetails() == null || answer.awsErrorDetails().errorCode() == null ? "" : " " + answer.awsErrorDetails().errorCode();
      // Buckets and users are answered as not found, too.
      boolean missing = answer.statusCode() == NOT_FOUND && code.equals(" NoSuchKey");
      String request = answer.requestId() == null ? "" : " (request " + answer.requestId() + ")";
      return new BackupException(missing ? Reason.NOT_FOUND : Reason.DESTINATION_UNAVAILABLE, where + answer.statusCode() + code + request);
    }
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    String kind = root instanceof SdkException ? "" : root.getClass().getSimpleName() + ": ";
    return new BackupException(Reason.DESTINATION_UNAVAILABLE, where + kind + root.getMessage());
  }
}
