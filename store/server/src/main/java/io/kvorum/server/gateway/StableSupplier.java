package io.kvorum.server.gateway;

import java.util.function.Supplier;

/** Makes a value when it is first asked for, once. */
final class StableSupplier<T> implements Supplier<T> {
  private final Supplier<T> source;
  private volatile T value;

  private StableSupplier(Supplier<T> source) {
    this.source = source;
  }

  static <T> Supplier<T> of(Supplier<T> source) {
    return new StableSupplier<>(source);
  }

  @Override
  public T get() {
    T made = value;
    if (made == null) {
      synchronized (this) {
        made = value;
        if (made == null) {
          made = source.get();
          value = made;
        }
      }
    }
    return made;
  }
}
