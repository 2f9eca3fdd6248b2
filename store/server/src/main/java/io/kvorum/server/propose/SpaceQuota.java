package io.kvorum.server.propose;

import io.kvorum.mvcc.MvccStore;
import io.kvorum.protocol.etcdserverpb.AlarmType;
import io.kvorum.server.apply.Alarms;
import io.kvorum.server.base.Limits;

/** Whether there is room for more data on this member: below the quota, and with the disk's reserve untouched. */
public final class SpaceQuota {
  private final long memberId;
  private final MvccStore store;
  private final Alarms alarms;
  private final long quotaBytes;

  public SpaceQuota(long memberId, MvccStore store, Alarms alarms, Limits limits) {
    this.memberId = memberId;
    this.store = store;
    this.alarms = alarms;
    this.quotaBytes = limits.quotaBytes();
  }

  /**
   * @param cost bytes that a request may add; 0: it adds nothing and always has room
   */
  boolean hasRoomFor(long cost) {
    if (cost == 0) {
      return true;
    }
    return !store.spaceLow() && (quotaBytes <= 0 || store.sizeBytes() + cost < quotaBytes);
  }

  /** The disk's reserve is touched and this member has not said so yet. */
  boolean mustWarn() {
    return store.spaceLow() && !isAlarmed();
  }

  /** This member has raised NOSPACE already. */
  boolean isAlarmed() {
    return alarms.isActive(AlarmType.NOSPACE, memberId);
  }
}
