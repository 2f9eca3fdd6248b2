package io.kvorum.operator.plugin;

/** Something that the user can mend; its message is one line for them. */
final class PluginException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  PluginException(String message) {
    super(message);
  }
}
