package io.kvorum.operator.desired;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the first member of a restored cluster begins with.
 *
 * @param storage where the backup lies
 * @param id of the backup; empty for the newest that reaches the target
 * @param revision replay ends with it; or
 * @param time ISO 8601, replay ends before what came later; neither: everything that the backup has
 * @param revisionBump how far revisions jump
 * @param markCompacted watches from before the backup end with "compacted"
 */
public record SeedRestore(BackupStorage storage, String id, Optional<Long> revision, Optional<String> time, long revisionBump, boolean markCompacted) {

  /** The command that makes the data directory of this member; one that is complete already stays as it is. */
  List<String> arguments(String member, MemberConfig.Beginning beginning, String peerUrl) {
    List<String> arguments = new ArrayList<>(List.of("restore"));
    arguments.addAll(storage.arguments());
    arguments.add(id.isEmpty() ? "--latest" : "--id=" + id);
    revision.ifPresent(one -> arguments.add("--revision=" + one));
    time.ifPresent(one -> arguments.add("--time=" + one));
    arguments.add("--data-dir=" + PodConfig.DATA_DIRECTORY);
    arguments.add("--revision-bump=" + revisionBump);
    arguments.add("--mark-compacted=" + markCompacted);
    arguments.add("--name=" + member);
    arguments.add("--initial-cluster=" + String.join(",", beginning.initialPeers()));
    arguments.add("--initial-cluster-token=" + beginning.clusterToken());
    arguments.add("--initial-advertise-peer-urls=" + peerUrl);
    return arguments;
  }
}
