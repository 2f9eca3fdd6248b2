package io.kvorum.operator.runtime.local;

import io.kvorum.operator.plan.Action;
import java.util.List;

/**
 * What stands for a pod on this machine: one process that is started again when it ends by itself, until it is deleted. Kept in a file, so that the next
 * {@code kvorum up} finds the members that an earlier one left running.
 *
 * @param member name of the member
 * @param uid tells this record from earlier ones of the same member
 * @param createdMillis when it was made, in milliseconds since 1970
 * @param pid process id of the newest process, 0 before the first
 * @param startedMillis start of that process as the system tells it, so that a process id that was given out anew is not taken for it
 * @param templateHash hash of the template that it was made from
 * @param version Kvorum's version that the template asks for
 * @param restarts how often the process ended by itself and was started again
 * @param failedMillis when it last ended by itself, 0 for never
 * @param terminatingMillis since when it is being deleted, 0 when it is not
 * @param servesClients whether the endpoints that users are told contain it
 * @param mode how it starts
 * @param clusterToken token of its cluster
 * @param initialPeers the members it starts with, as NAME=URL
 */
record ProcessRecord(
    String member, String uid, long createdMillis, long pid, long startedMillis, String templateHash, String version, int restarts, long failedMillis,
    long terminatingMillis, boolean servesClients, Action.StartMode mode, String clusterToken, List<String> initialPeers) {

  ProcessRecord {
    initialPeers = List.copyOf(initialPeers);
  }

  ProcessRecord started(long newPid, long millis) {
    return new ProcessRecord(
        member, uid, createdMillis, newPid, millis, templateHash, version, restarts, failedMillis, terminatingMillis, servesClients, mode, clusterToken, initialPeers);
  }

  ProcessRecord failed(long millis) {
    return new ProcessRecord(
        member, uid, createdMillis, 0, 0, templateHash, version, restarts + 1, millis, terminatingMillis, servesClients, mode, clusterToken, initialPeers);
  }

  ProcessRecord terminating(long millis) {
    return new ProcessRecord(
        member, uid, createdMillis, pid, startedMillis, templateHash, version, restarts, failedMillis, millis, servesClients, mode, clusterToken, initialPeers);
  }

  ProcessRecord serving(boolean serve) {
    return new ProcessRecord(
        member, uid, createdMillis, pid, startedMillis, templateHash, version, restarts, failedMillis, terminatingMillis, serve, mode, clusterToken, initialPeers);
  }
}
