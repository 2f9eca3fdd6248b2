package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.etcdserverpb.HashKVRequest;
import io.kvorum.protocol.etcdserverpb.HashKVResponse;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.internal.Genesis;
import io.kvorum.protocol.v1.BackupBeginRequest;
import io.kvorum.protocol.v1.BackupBeginResponse;
import io.kvorum.protocol.v1.BackupContentHashRequest;
import io.kvorum.protocol.v1.BackupContentHashResponse;
import io.kvorum.protocol.v1.BackupEndRequest;
import io.kvorum.protocol.v1.BackupFile;
import io.kvorum.protocol.v1.BackupGrpc;
import io.kvorum.protocol.v1.BackupKeepAliveRequest;
import io.kvorum.protocol.v1.BackupLogEntry;
import io.kvorum.protocol.v1.BackupLogRequest;
import io.kvorum.protocol.v1.BackupSegmentChunk;
import io.kvorum.protocol.v1.BackupSegmentRequest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a member gives to those who back it up. */
class BackupServiceTest {
  private static final BackupBeginRequest FULL = BackupBeginRequest.getDefaultInstance();
  private static final long DEADLINE_SECONDS = 30;

  @TempDir Path temp;

  private static BackupGrpc.BackupBlockingStub backup(LoneMember member) {
    return BackupGrpc.newBlockingStub(member.channel).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
  }

  private static void put(LoneMember member, int from, int to, int bytes) {
    for (int i = from; i < to; i++) {
      PutRequest put = PutRequest.newBuilder().setKey(ByteString.copyFromUtf8("k" + i)).setValue(ByteString.copyFrom(new byte[bytes])).build();
      KVGrpc.newBlockingStub(member.channel).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS).put(put);
    }
  }

  private static byte[] read(LoneMember member, String handle, String name, long offset) {
    ByteString all = ByteString.EMPTY;
    var chunks = backup(member).segment(BackupSegmentRequest.newBuilder().setHandle(handle).setName(name).setOffset(offset).build());
    while (chunks.hasNext()) {
      BackupSegmentChunk chunk = chunks.next();
      assertThat(chunk.getData().size()).isBetween(1, 256 << 10);
      all = all.concat(chunk.getData());
    }
    return all.toByteArray();
  }

  private static List<BackupLogEntry> log(LoneMember member, String handle, long from) {
    List<BackupLogEntry> entries = new ArrayList<>();
    backup(member).log(BackupLogRequest.newBuilder().setHandle(handle).setFromIndex(from).build()).forEachRemaining(chunk -> entries.addAll(chunk.getEntriesList()));
    return entries;
  }

  private static StatusRuntimeException refused(Runnable call) {
    return catchThrowableOfType(StatusRuntimeException.class, call::run);
  }

  @Test
  void a_frozen_state_stays_while_the_member_goes_on() throws Exception {
    Path data = temp.resolve("m0");
    try (LoneMember member = new LoneMember(data)) {
      put(member, 0, 10, 100_000);
    }
    try (LoneMember member = new LoneMember(data)) {
      put(member, 10, 15, 10);
      BackupBeginResponse begun = backup(member).begin(FULL);
      assertThat(begun.getRevision()).isEqualTo(16);
      assertThat(begun.getCheckpointRevision()).isEqualTo(11);
      assertThat(begun.getIndex()).isGreaterThan(begun.getCheckpointIndex());
      assertThat(begun.getCompactRevision()).isEqualTo(-1);
      assertThat(begun.getMemberName()).isEqualTo("m0");
      assertThat(begun.getLimitSeconds()).isEqualTo(60);
      assertThat(Genesis.parseFrom(begun.getGenesis()).getClusterId()).isEqualTo(begun.getHeader().getClusterId());
      put(member, 0, 3, 10);

      assertThat(begun.getFilesList()).hasSizeGreaterThan(1);
      for (BackupFile file : begun.getFilesList()) {
        byte[] whole = read(member, begun.getHandle(), file.getName(), 0);
        CRC32C crc = new CRC32C();
        crc.update(whole);
        assertThat((int) crc.getValue()).isEqualTo(file.getCrc32C());
        int from = whole.length / 3;
        assertThat(read(member, begun.getHandle(), file.getName(), from)).isEqualTo(Arrays.copyOfRange(whole, from, whole.length));
      }
      List<BackupLogEntry> entries = log(member, begun.getHandle(), begun.getCheckpointIndex() + 1);
      assertThat(entries).last().extracting(BackupLogEntry::getIndex).isEqualTo(begun.getIndex());
      // A leader's first entry has no time.
      assertThat(entries).extracting(BackupLogEntry::getTimeMillis).allMatch(time -> time == 0 || time > 1_700_000_000_000L).anyMatch(time -> time > 0);

      BackupContentHashResponse hash = backup(member).contentHash(BackupContentHashRequest.newBuilder().setHandle(begun.getHandle()).build());
      HashKVResponse live = MaintenanceGrpc.newBlockingStub(member.channel).hashKV(HashKVRequest.newBuilder().setRevision(16).build());
      assertThat(hash.getHash()).isEqualTo(live.getHash());
      assertThat(hash.getHashRevision()).isEqualTo(16);
      assertThat(hash.getCompactRevision()).isEqualTo(live.getCompactRevision());

      backup(member).keepAlive(BackupKeepAliveRequest.newBuilder().setHandle(begun.getHandle()).build());
      backup(member).end(BackupEndRequest.newBuilder().setHandle(begun.getHandle()).build());
      String handle = begun.getHandle();
      assertThat(refused(() -> backup(member).keepAlive(BackupKeepAliveRequest.newBuilder().setHandle(handle).build())).getStatus().getCode())
          .isEqualTo(Status.Code.NOT_FOUND);
      String segment = begun.getFiles(1).getName();
      assertThat(refused(() -> read(member, handle, segment, 0)).getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
    }
  }

  @Test
  void handles_are_bounded() throws Exception {
    try (LoneMember member = new LoneMember(temp.resolve("m0"))) {
      for (int i = 0; i < 4; i++) {
        backup(member).begin(FULL);
      }
      assertThat(refused(() -> backup(member).begin(FULL)).getStatus().getDescription()).isEqualTo("too many backups at a time: 4");
    }
  }

  @Test
  void a_run_that_begins_again_ends_what_it_held() throws Exception {
    try (LoneMember member = new LoneMember(temp.resolve("m0"))) {
      BackupBeginRequest run = BackupBeginRequest.newBuilder().setRun("nightly").setLimitSeconds(600).build();
      String former = backup(member).begin(run).getHandle();
      for (int i = 0; i < 5; i++) {
        backup(member).begin(run);
      }
      assertThat(refused(() -> backup(member).keepAlive(BackupKeepAliveRequest.newBuilder().setHandle(former).build())).getStatus().getCode())
          .isEqualTo(Status.Code.NOT_FOUND);
    }
  }

  @Test
  void handles_end_when_their_callers_vanish() throws Exception {
    try (LoneMember member = new LoneMember(temp.resolve("m0"))) {
      BackupBeginRequest brief = BackupBeginRequest.newBuilder().setLimitSeconds(1).build();
      for (int i = 0; i < 4; i++) {
        backup(member).begin(brief);
      }
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
      while (refused(() -> backup(member).begin(FULL)) != null) {
        assertThat(System.nanoTime()).as("vanished callers let their handles go").isLessThan(deadline);
        TimeUnit.MILLISECONDS.sleep(200);
      }
    }
  }

  @Test
  void what_is_not_there_is_refused() throws Exception {
    try (LoneMember member = new LoneMember(temp.resolve("m0"))) {
      put(member, 0, 3, 10);
      BackupBeginResponse begun = backup(member).begin(FULL);
      assertThat(refused(() -> read(member, begun.getHandle(), "none.records", 0)).getStatus().getDescription()).isEqualTo("the backup has no file none.records");
      BackupFile file = begun.getFiles(0);
      assertThat(refused(() -> read(member, begun.getHandle(), file.getName(), file.getLength() + 1)).getStatus().getCode()).isEqualTo(Status.Code.OUT_OF_RANGE);
      assertThat(log(member, begun.getHandle(), begun.getIndex() + 1)).isEmpty();

      StatusRuntimeException ahead = refused(() -> backup(member).begin(BackupBeginRequest.newBuilder().setAfterIndex(999).setAfterTerm(1).build()));
      assertThat(ahead.getStatus().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
      StatusRuntimeException other = refused(() -> backup(member).begin(BackupBeginRequest.newBuilder().setAfterIndex(2).setAfterTerm(77).build()));
      assertThat(other.getStatus().getCode()).isEqualTo(Status.Code.OUT_OF_RANGE);
      assertThat(other.getStatus().getDescription()).startsWith("DeltaGap: ");
      assertThat(refused(() -> backup(member).end(BackupEndRequest.newBuilder().setHandle(begun.getHandle()).setChain("a b").build())).getStatus().getCode())
          .isEqualTo(Status.Code.INVALID_ARGUMENT);
    }
  }

  /** Eight megabytes fill the first files of the log; of those that a checkpoint covers one stays by the options. */
  @Test
  void the_log_behind_a_chain_is_kept_over_restarts_and_without_one_it_is_cut() throws Exception {
    assertThat(goesOn("without", "")).isFalse();
    assertThat(goesOn("with", "chain-1")).isTrue();
  }

  private boolean goesOn(String name, String chain) throws Exception {
    Path data = temp.resolve(name);
    BackupBeginResponse begun;
    try (LoneMember member = new LoneMember(data, "--max-wals=1", "--snapshot-count=5")) {
      put(member, 0, 1, 10);
      begun = backup(member).begin(FULL);
      backup(member).end(BackupEndRequest.newBuilder().setHandle(begun.getHandle()).setChain(chain).build());
    }
    for (int round = 0; round < 2; round++) {
      try (LoneMember member = new LoneMember(data, "--max-wals=1", "--snapshot-count=5")) {
        put(member, 0, 20, 200_000);
      }
    }
    try (LoneMember member = new LoneMember(data, "--max-wals=1", "--snapshot-count=5")) {
      BackupBeginRequest behind = BackupBeginRequest.newBuilder().setAfterIndex(begun.getIndex()).setAfterTerm(begun.getTerm()).build();
      try {
        BackupBeginResponse delta = backup(member).begin(behind);
        assertThat(delta.getFilesList()).isEmpty();
        assertThat(log(member, delta.getHandle(), begun.getIndex() + 1)).first().extracting(BackupLogEntry::getIndex).isEqualTo(begun.getIndex() + 1);
        return true;
      } catch (StatusRuntimeException gap) {
        assertThat(gap.getStatus().getDescription()).startsWith("DeltaGap: ");
        return false;
      }
    }
  }
}
