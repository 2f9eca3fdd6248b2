package io.kvorum.server.backup.repository;

import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Objects;

/** Content in the form of {@link Frames}. Reading it again gives the same bytes: the salt is drawn once. */
record SealedContent(Content content, EncryptionKey key, byte[] salt, String name) implements Content {
  @Override
  public long bytes() {
    return Frames.stored(content.bytes());
  }

  @Override
  public InputStream open() throws IOException {
    byte[] header = new byte[Frames.HEADER_BYTES];
    System.arraycopy(Frames.MAGIC, 0, header, 0, Frames.MAGIC.length);
    System.arraycopy(salt, 0, header, Frames.MAGIC.length, salt.length);
    Frames frames = new Frames(key.objectKey(salt), name.getBytes(StandardCharsets.UTF_8));
    return new SequenceInputStream(Content.of(header).open(), new Sealing(content.open(), frames));
  }

  /** Gives frames; holds one at a time. */
  private static final class Sealing extends InputStream {
    private final InputStream in;
    private final Frames frames;
    private final byte[] frame = new byte[Frames.CONTENT_BYTES + Frames.TAG_BYTES];
    private byte[] content = new byte[Frames.CONTENT_BYTES];
    private byte[] ahead = new byte[Frames.CONTENT_BYTES];
    private int aheadLength;
    private int position;
    private int limit;
    private boolean begun;
    private boolean ended;

    Sealing(InputStream in, Frames frames) {
      this.in = in;
      this.frames = frames;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      Objects.checkFromIndexSize(offset, length, into.length);
      if (position == limit && !fill()) {
        return -1;
      }
      int n = Math.min(length, limit - position);
      System.arraycopy(frame, position, into, offset, n);
      position += n;
      return n;
    }

    /** Whether a frame is the last one is known when there is nothing behind it. */
    private boolean fill() throws IOException {
      if (ended) {
        return false;
      }
      if (!begun) {
        begun = true;
        aheadLength = in.readNBytes(ahead, 0, ahead.length);
      }
      byte[] current = ahead;
      int length = aheadLength;
      ahead = content;
      content = current;
      aheadLength = length < current.length ? 0 : in.readNBytes(ahead, 0, ahead.length);
      ended = aheadLength == 0;
      try {
        limit = frames.seal(current, length, ended, frame);
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException("AES/GCM cannot encrypt", e);
      }
      position = 0;
      return true;
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }
}
