package io.kvorum.server.config;

import io.kvorum.server.config.Parsed.Notice;

/** A configuration that cannot be served; caught where it becomes {@link Parsed.Refused}. */
final class ConfigException extends Exception {
  private static final long serialVersionUID = 1L;

  private final transient Notice notice;

  ConfigException(String error) {
    this(Notice.fatal("failed to verify flags", "error", error));
  }

  ConfigException(Notice notice) {
    super(notice.event());
    this.notice = notice;
  }

  Notice notice() {
    return notice;
  }
}
