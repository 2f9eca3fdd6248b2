package io.kvorum.server.watch;

import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.ReadView;

/** A view that is opened when first needed. */
final class LazyView implements AutoCloseable {
  private final MvccStore store;
  private ReadView view;

  LazyView(MvccStore store) {
    this.store = store;
  }

  ReadView get() {
    if (view == null) {
      view = store.view();
    }
    return view;
  }

  @Override
  public void close() {
    if (view != null) {
      view.close();
    }
  }
}
