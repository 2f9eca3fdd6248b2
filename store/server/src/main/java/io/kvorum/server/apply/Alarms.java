package io.kvorum.server.apply;

import io.kvorum.protocol.etcdserverpb.AlarmMember;
import io.kvorum.protocol.etcdserverpb.AlarmRequest;
import io.kvorum.protocol.etcdserverpb.AlarmType;
import io.kvorum.protocol.internal.MachineState;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * The replicated alarms. Changed by apply alone; {@link #active} may be asked by any thread.
 *
 * <p>Alarms are kept and listed by type, then by member id, so that every member lists and stores them alike.
 */
public final class Alarms implements MachinePart {
  private final TreeMap<Id, AlarmMember> byId = new TreeMap<>();
  private volatile List<AlarmMember> active = List.of();

  /** Every raised alarm, by type and member id; an immutable snapshot. */
  public List<AlarmMember> active() {
    return active;
  }

  /** Whether any member has raised an alarm of this type. */
  public boolean isActive(AlarmType type) {
    List<AlarmMember> now = active;
    for (int i = 0; i < now.size(); i++) {
      if (now.get(i).getAlarmValue() == type.getNumber()) {
        return true;
      }
    }
    return false;
  }

  /** Whether one member has raised an alarm of this type. */
  public boolean isActive(AlarmType type, long memberId) {
    for (AlarmMember alarm : active) {
      if (alarm.getAlarmValue() == type.getNumber() && alarm.getMemberID() == memberId) {
        return true;
      }
    }
    return false;
  }

  /**
   * Applies one alarm request.
   *
   * @return what the request read or affected: all alarms of the asked type (NONE: all) for GET, the one alarm or nothing otherwise
   */
  List<AlarmMember> apply(AlarmRequest request) {
    return switch (request.getAction()) {
      case GET -> list(request.getAlarmValue());
      case ACTIVATE -> activate(request);
      case DEACTIVATE -> deactivate(request);
      case UNRECOGNIZED -> List.of();
    };
  }

  private List<AlarmMember> list(int type) {
    if (type == AlarmType.NONE_VALUE) {
      return active;
    }
    return active.stream().filter(alarm -> alarm.getAlarmValue() == type).toList();
  }

  private List<AlarmMember> activate(AlarmRequest request) {
    if (request.getAlarmValue() == AlarmType.NONE_VALUE) {
      return List.of();
    }
    AlarmMember alarm = AlarmMember.newBuilder().setMemberID(request.getMemberID()).setAlarmValue(request.getAlarmValue()).build();
    if (byId.putIfAbsent(Id.of(alarm), alarm) == null) {
      publish();
    }
    return List.of(alarm);
  }

  private List<AlarmMember> deactivate(AlarmRequest request) {
    AlarmMember removed = byId.remove(new Id(request.getAlarmValue(), request.getMemberID()));
    if (removed == null) {
      return List.of();
    }
    publish();
    return List.of(removed);
  }

  private void publish() {
    active = List.copyOf(byId.values());
  }

  @Override
  public void save(MachineState.Builder checkpoint) {
    checkpoint.addAllAlarms(new ArrayList<>(byId.values()));
  }

  @Override
  public void restore(MachineState checkpoint) {
    byId.clear();
    for (AlarmMember alarm : checkpoint.getAlarmsList()) {
      byId.put(Id.of(alarm), alarm);
    }
    publish();
  }

  private record Id(int type, long memberId) implements Comparable<Id> {
    static Id of(AlarmMember alarm) {
      return new Id(alarm.getAlarmValue(), alarm.getMemberID());
    }

    @Override
    public int compareTo(Id other) {
      int byType = Integer.compare(type, other.type);
      return byType != 0 ? byType : Long.compareUnsigned(memberId, other.memberId);
    }
  }
}
