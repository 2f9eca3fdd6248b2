package io.kvorum.server.process;

import io.grpc.StatusRuntimeException;
import io.kvorum.mvcc.ReadView;
import io.kvorum.server.apply.Alarms;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.cluster.Members;
import io.kvorum.server.front.HealthSource;
import java.util.List;
import java.util.function.Consumer;

/** A running member's answers to its health endpoints. */
final class MemberHealth implements HealthSource {
  private static final byte[] ANY_KEY = {0};

  private final Kernel kernel;
  private final Members members;
  private final Alarms alarms;

  MemberHealth(Kernel kernel, Members members, Alarms alarms) {
    this.kernel = kernel;
    this.members = members;
    this.alarms = alarms;
  }

  @Override
  public List<String> alarms() {
    return alarms.active().stream().map(alarm -> alarm.getAlarm().name()).toList();
  }

  @Override
  public boolean hasLeader() {
    return kernel.raft().get().leader() != 0;
  }

  @Override
  public boolean isLearner() {
    return members.isLocalLearner();
  }

  @Override
  public String serializableRead() {
    try (ReadView view = kernel.store().view()) {
      view.get(ANY_KEY);
      return null;
    } catch (RuntimeException e) {
      return String.valueOf(e.getMessage());
    }
  }

  @Override
  public void linearizableRead(Consumer<String> outcome) {
    kernel
        .reads()
        .await(
            new Completion<>() {
              @Override
              public void done(Void nothing) {
                outcome.accept(serializableRead());
              }

              @Override
              public void failed(StatusRuntimeException reason) {
                outcome.accept(reason.getStatus().getDescription());
              }
            });
  }
}
