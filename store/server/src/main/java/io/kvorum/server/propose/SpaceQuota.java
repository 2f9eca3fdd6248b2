package io.kvorum.server.propose;

import io.kvorum.mvcc.MvccStore;
import io.kvorum.protocol.etcdserverpb.AlarmType;
import io.kvorum.server.apply.Alarms;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/** Whether there is room for more data on this member: below the quota, and with the disk's reserve untouched. */
public final class SpaceQuota {
  private final long memberId;
  private final MvccStore store;
  private final BooleanSupplier diskLow;
  private final Alarms alarms;
  private final LongSupplier quotaBytes;

  /**
   * @param memberId this member
   * @param store whose size the quota bounds
   * @param diskLow whether the reserve of any disk that a write needs is touched; log and history may lie on two
   * @param alarms what is raised already
   * @param quotaBytes the quota now; 0 or less for none
   */
  public SpaceQuota(long memberId, MvccStore store, BooleanSupplier diskLow, Alarms alarms, LongSupplier quotaBytes) {
    this.memberId = memberId;
    this.store = store;
    this.diskLow = diskLow;
    this.alarms = alarms;
    this.quotaBytes = quotaBytes;
  }

  /**
   * @param cost bytes that a request may add; 0: it adds nothing and always has room
   */
  boolean hasRoomFor(long cost) {
    if (cost == 0) {
      return true;
    }
    long quota = quotaBytes.getAsLong();
    return !diskLow.getAsBoolean() && (quota <= 0 || store.sizeBytes() + cost < quota);
  }

  /** The disk's reserve is touched and this member has not said so yet. */
  boolean mustWarn() {
    return diskLow.getAsBoolean() && !isAlarmed();
  }

  /** This member has raised NOSPACE already. */
  boolean isAlarmed() {
    return alarms.isActive(AlarmType.NOSPACE, memberId);
  }
}
