package io.kvorum.server.auth;

/** Hears, on the raft thread, what the log says about tokens. Must not block. */
interface TokenEvents {
  TokenEvents NONE =
      new TokenEvents() {
        @Override
        public void issued(String user, String token) {}

        @Override
        public void userChanged(String user) {}

        @Override
        public void allEnd() {}
      };

  void issued(String user, String token);

  /** The user was deleted or has another password: its tokens end. */
  void userChanged(String user);

  /** Auth was turned off, or the whole state replaced. */
  void allEnd();
}
