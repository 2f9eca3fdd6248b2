package io.kvorum.mvcc;

/**
 * @param reserveBytes free disk space below which {@link MvccStore#spaceLow} is true and writes should be refused (two segments and one log file)
 * @param verify on in tests: expensive assertions, and each sealed segment is compared with Chronicle's own reading of it
 * @param failPoint called at every durable boundary
 */
public record MvccOptions(long reserveBytes, boolean verify, FailPoint failPoint) {
  public static final MvccOptions DEFAULT = new MvccOptions(192L << 20, false, FailPoint.NONE);
}
