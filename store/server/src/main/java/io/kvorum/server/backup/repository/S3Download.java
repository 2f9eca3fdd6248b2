package io.kvorum.server.backup.repository;

import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/** An object's bytes. A connection that breaks, or ends early, is taken up again at the next byte, as long as the object is the same. */
final class S3Download extends InputStream {
  /** In a row, without a byte between them. */
  private static final int BREAKS_MAX = 5;

  private static final long BACKOFF_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  private final S3Client client;
  private final String bucket;
  private final String key;
  private final RateLimit.Sleeper sleeper;
  private final Function<SdkException, BackupException> failure;
  private final long length;
  private final String tag;
  private ResponseInputStream<GetObjectResponse> in;
  private long position;
  private int breaks;

  /**
   * @param failure what the caller is told
   */
  S3Download(S3Client client, String bucket, String key, RateLimit.Sleeper sleeper, Function<SdkException, BackupException> failure) throws BackupException {
    this.client = client;
    this.bucket = bucket;
    this.key = key;
    this.sleeper = sleeper;
    this.failure = failure;
    try {
      in = client.getObject(request -> request.bucket(bucket).key(key));
    } catch (SdkException e) {
      throw failure.apply(e);
    }
    length = in.response().contentLength();
    tag = in.response().eTag();
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int count) throws IOException {
    Objects.checkFromIndexSize(offset, count, into.length);
    while (position < length) {
      IOException broken;
      try {
        int n = in.read(into, offset, (int) Math.min(count, length - position));
        if (n > 0) {
          position += n;
          breaks = 0;
        }
        if (n >= 0) {
          return n;
        }
        broken = new IOException("the connection ended at byte " + position + " of " + length);
      } catch (IOException e) {
        broken = e;
      }
      resume(broken);
    }
    return count == 0 ? 0 : -1;
  }

  private void resume(IOException broken) throws IOException {
    if (++breaks > BREAKS_MAX) {
      throw failure.apply(SdkException.create("broken off at byte " + position + " of " + length, broken));
    }
    in.abort();
    try {
      sleeper.sleep(BACKOFF_NANOS << breaks);
      in = client.getObject(request -> request.bucket(bucket).key(key).ifMatch(tag).range("bytes=" + position + "-"));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw broken;
    } catch (SdkException e) {
      throw failure.apply(e);
    }
  }

  @Override
  public void close() throws IOException {
    if (position < length) {
      // Otherwise closing reads what is left.
      in.abort();
    } else {
      in.close();
    }
  }
}
