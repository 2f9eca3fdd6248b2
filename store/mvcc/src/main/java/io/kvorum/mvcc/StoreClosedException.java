package io.kvorum.mvcc;

/** The store was closed before, or while, it was asked: the member stops. */
public final class StoreClosedException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  public StoreClosedException() {
    super("the store is closed");
  }
}
