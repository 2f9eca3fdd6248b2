package io.kvorum.server.admin;

import io.kvorum.protocol.v1.DataSizes;
import io.kvorum.protocol.v1.DescribeResponse;
import io.kvorum.raft.log.SegmentedLog;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.apply.Alarms;
import io.kvorum.server.base.FeatureLevel;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.base.Version;
import io.kvorum.server.cluster.ClusterView;
import io.kvorum.server.cluster.Members;
import io.kvorum.server.config.ServerConfig;
import java.io.IOException;
import java.nio.file.FileStore;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * What a member is and holds.
 *
 * @param last newest entry of its log
 * @param startedMillis when the process started, since 1970
 * @param clockMillis the wall clock, since 1970
 */
public record Description(
    Kernel kernel,
    Members members,
    Alarms alarms,
    Supplier<ServerConfig> config,
    Certificates certificates,
    DataFiles files,
    Supplier<SegmentedLog.Position> last,
    long startedMillis,
    LongSupplier clockMillis) {
  /**
   * Asks all of them, now.
   *
   * @throws IOException when a directory cannot be read
   */
  DescribeResponse.Builder now() throws IOException {
    RaftStatus raft = kernel.raft().get();
    ClusterView cluster = members.view();
    SegmentedLog.Position newest = last.get();
    return DescribeResponse.newBuilder()
        .setHeader(kernel.header())
        .setName(config.get().name())
        .setVersion(Version.kvorum())
        .setEtcdVersion(Version.ETCD)
        .setClusterVersion(cluster.clusterVersion())
        .setFeatureLevelSupported(FeatureLevel.SUPPORTED)
        .setFeatureLevel(cluster.featureLevel())
        .setConfigHash(config.get().options().hash())
        .addAllCertificates(certificates.list())
        .setIsLearner(members.isLocalLearner())
        .setLeader(raft.leader())
        .setLastIndex(newest.index())
        .setLastTerm(newest.term())
        .setCommittedIndex(raft.commit())
        .setAppliedIndex(raft.applied())
        .setCompactRevision(Math.max(0, kernel.store().compactRevision()))
        .setSizes(sizes())
        .addAllAlarms(alarms.active())
        .setStartedMillis(startedMillis)
        .setClockMillis(clockMillis.getAsLong());
  }

  private DataSizes sizes() throws IOException {
    FileStore disk = files.disk();
    return DataSizes.newBuilder()
        .setHistory(kernel.store().sizeBytes())
        .setHistoryInUse(kernel.store().sizeInUseBytes())
        .setQuota(Math.max(0, kernel.limits().quotaBytes()))
        .setHistoryFiles(DataFiles.bytes(files.history()))
        .setLogFiles(DataFiles.bytes(files.log()))
        .setDiskFree(disk.getUsableSpace())
        .setDiskTotal(disk.getTotalSpace())
        .build();
  }
}
