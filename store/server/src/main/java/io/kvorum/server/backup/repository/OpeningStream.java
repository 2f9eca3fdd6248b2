package io.kvorum.server.backup.repository;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.Objects;

/** The content of an object in the form of {@link Frames}; each frame is checked before any byte of it is given. */
final class OpeningStream extends FilterInputStream {
  private static final int FRAME_BYTES = Frames.CONTENT_BYTES + Frames.TAG_BYTES;

  private final String name;
  private final Damage damage;
  private final Frames frames;
  private final byte[] content = new byte[Frames.CONTENT_BYTES];
  private byte[] frame = new byte[FRAME_BYTES];
  private byte[] ahead = new byte[FRAME_BYTES];
  private int aheadLength;
  private int position;
  private int limit;
  private boolean ended;

  /**
   * @param damage where what is found is noted
   */
  OpeningStream(InputStream in, EncryptionKey key, String name, Damage damage) throws IOException {
    super(in);
    this.name = name;
    this.damage = damage;
    byte[] header = in.readNBytes(Frames.HEADER_BYTES);
    if (header.length < Frames.HEADER_BYTES) {
      throw noted("cut off: " + header.length + " bytes");
    }
    if (!Arrays.equals(header, 0, Frames.MAGIC.length, Frames.MAGIC, 0, Frames.MAGIC.length)) {
      throw noted("not an encrypted object");
    }
    byte[] salt = Arrays.copyOfRange(header, Frames.MAGIC.length, header.length);
    frames = new Frames(key.objectKey(salt), name.getBytes(StandardCharsets.UTF_8));
    aheadLength = in.readNBytes(ahead, 0, FRAME_BYTES);
  }

  private ContentCorruptException noted(String why) {
    ContentCorruptException found = new ContentCorruptException(name, why);
    damage.note(found);
    return found;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, into.length);
    while (position == limit) {
      if (ended) {
        return -1;
      }
      fill();
    }
    int n = Math.min(length, limit - position);
    System.arraycopy(content, position, into, offset, n);
    position += n;
    return n;
  }

  private void fill() throws IOException {
    byte[] current = ahead;
    int length = aheadLength;
    ahead = frame;
    frame = current;
    aheadLength = length < FRAME_BYTES ? 0 : in.readNBytes(ahead, 0, FRAME_BYTES);
    ended = aheadLength == 0;
    try {
      limit = frames.open(current, length, ended, content);
      position = 0;
    } catch (GeneralSecurityException e) {
      throw noted("cut off, altered, or another object's content");
    }
  }

  @Override
  public long skip(long n) throws IOException {
    return readNBytes((int) Math.min(n, Frames.CONTENT_BYTES)).length;
  }

  @Override
  public int available() {
    return limit - position;
  }

  @Override
  public boolean markSupported() {
    return false;
  }
}
