package io.kvorum.mvcc;

/**
 * Called at every durable boundary with its name, so that a test can stop the process or inject a failure exactly there. The production
 * value does nothing.
 */
@FunctionalInterface
public interface FailPoint {
  FailPoint NONE = name -> {};

  /**
   * @param name for example {@code mvcc.manifest.before-rename}; the names are listed in store/README.md
   */
  void reached(String name);
}
