package io.kvorum.server.agent.registration;

/** Why the registration changed, or did not: in logs and as a label of {@code kvorum_agent_registration_events_total}. */
public enum Reason {
  READY("the application is ready"),
  NOT_READY("the application is not ready"),
  REGISTERED("registered"),
  WRITE_FAILED("registering failed"),
  RENEWAL_FAILED("renewing the lease failed"),
  OVERDUE("the lease could not be renewed for its whole time; the entry has probably gone"),
  LEASE_LOST("the lease is gone and the entry with it; registering again"),
  ENTRY_LOST("somebody removed the entry; registering again"),
  ENTRY_TAKEN("somebody else holds the entry; waiting for a lease's time before registering again"),
  REMOVED("the entry was taken away"),
  REMOVAL_FAILED("taking the entry away failed"),
  LEFT_TO_EXPIRE("the entry could not be taken away; its lease has run out since"),
  DEREGISTERED("asked to deregister"),
  STOPPED("the agent stops");

  private final String text;

  Reason(String text) {
    this.text = text;
  }

  /** In words, for logs. */
  public String text() {
    return text;
  }

  /** As a label: lower case with underscores. */
  public String label() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }

  /** Whether somebody may have to do something about it. */
  boolean isTrouble() {
    return switch (this) {
      case WRITE_FAILED, RENEWAL_FAILED, OVERDUE, LEASE_LOST, ENTRY_LOST, ENTRY_TAKEN, REMOVAL_FAILED, LEFT_TO_EXPIRE, NOT_READY -> true;
      case READY, REGISTERED, REMOVED, DEREGISTERED, STOPPED -> false;
    };
  }
}
