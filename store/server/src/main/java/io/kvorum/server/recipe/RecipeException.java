package io.kvorum.server.recipe;

/** A refusal that only these services have. Without a stack trace: expected. */
final class RecipeException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  RecipeException(String text) {
    super(text, null, false, false);
  }

  static RecipeException sessionExpired() {
    return new RecipeException("mutex: session is expired");
  }

  static RecipeException notLeader() {
    return new RecipeException("election: not leader");
  }

  static RecipeException noLeader() {
    return new RecipeException("election: no leader");
  }

  static RecipeException leaderMissing() {
    return new RecipeException("\"leader\" field must be provided");
  }
}
