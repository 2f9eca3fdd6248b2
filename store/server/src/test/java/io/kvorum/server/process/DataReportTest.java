package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.protocol.internal.LogRequestHeader;
import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.protocol.internal.PutWithLease;
import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import io.kvorum.raft.HardState;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.log.LogOptions;
import io.kvorum.raft.log.SegmentedLog;
import io.kvorum.server.cluster.Genesis;
import io.kvorum.server.cluster.GenesisFile;
import io.kvorum.server.cluster.Member;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is said of a log whose commit index lags behind, as a kill leaves it. */
class DataReportTest {
  private static final long SELF = 1;
  private static final long COMMIT_THAT_WAS_WRITTEN = 2;

  @TempDir Path temp;

  private Path root() {
    return temp.resolve("m.etcd");
  }

  private static Entry entry(long index) {
    return new Entry(1, index, EntryType.NORMAL, 0, ("e" + index).getBytes(StandardCharsets.UTF_8));
  }

  private static Entry add(long index, MembershipChange.Kind kind, long member) {
    byte[] context = MemberContext.newBuilder().setId(member).addPeerUrls("http://m" + member + ":1").build().toByteArray();
    return new Entry(1, index, EntryType.MEMBERSHIP, 0, new MembershipChange(kind, member, context).encode());
  }

  private void write(Path walDirectory, long founders, List<Entry> entries) throws Exception {
    List<Member> members =
        LongStream.rangeClosed(1, founders).mapToObj(id -> new Member(id, "m" + id, List.of("http://m" + id + ":1"), List.of(), false, 0)).toList();
    try (DataDirectory directory = DataDirectory.open(root(), walDirectory)) {
      new GenesisFile(directory.member()).write(new Genesis(9, SELF, members, members));
      try (SegmentedLog log = SegmentedLog.open(directory.log(), LogOptions.defaults())) {
        directory.logBegun();
        log.append(new HardState(1, SELF, COMMIT_THAT_WAS_WRITTEN), entries);
        log.sync();
      }
    }
  }

  private List<String> dump(Path walDirectory) throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    assertThat(new DataReport(root(), walDirectory, new PrintStream(out, true, StandardCharsets.UTF_8)).dump()).isZero();
    List<String> lines = new ArrayList<>();
    out.toString(StandardCharsets.UTF_8).lines().forEach(line -> lines.add(new String(Base64.getDecoder().decode(line), StandardCharsets.UTF_8)));
    return lines;
  }

  @Test
  void all_that_is_durable_on_the_only_voter_is_committed() throws Exception {
    write(null, 1, List.of(entry(1), entry(2), entry(3), add(4, MembershipChange.Kind.ADD_LEARNER, 2), entry(5)));
    assertThat(dump(null)).containsExactly("e1", "e2", "e3", "e5");
  }

  @Test
  void among_several_voters_only_what_the_log_calls_committed_is_known_to_be() throws Exception {
    write(null, 3, List.of(entry(1), entry(2), entry(3)));
    assertThat(dump(null)).containsExactly("e1", "e2");
  }

  @Test
  void what_follows_a_second_voter_needs_its_vote() throws Exception {
    write(null, 1, List.of(entry(1), entry(2), entry(3), add(4, MembershipChange.Kind.ADD_VOTER, 2), entry(5)));
    assertThat(dump(null)).containsExactly("e1", "e2", "e3");
  }

  @Test
  void a_lease_with_its_key_is_shown_as_the_grant_and_the_put_that_etcd_would_have() throws Exception {
    LeaseGrantRequest grant = LeaseGrantRequest.newBuilder().setID(7).setTTL(9).build();
    PutRequest put = PutRequest.newBuilder().setKey(ByteString.copyFromUtf8("k")).setLease(7).build();
    LogRequestHeader header = LogRequestHeader.newBuilder().setId(5).setUsername("me").build();
    LogRequest both = LogRequest.newBuilder().setHeader(header).setPutWithLease(PutWithLease.newBuilder().setGrant(grant).setPut(put)).build();
    write(null, 1, List.of(new Entry(1, 1, EntryType.NORMAL, 0, both.toByteArray()), entry(2)));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    new DataReport(root(), null, new PrintStream(out, true, StandardCharsets.UTF_8)).dump();
    List<byte[]> lines = out.toString(StandardCharsets.UTF_8).lines().map(Base64.getDecoder()::decode).toList();
    assertThat(lines).hasSize(3);
    assertThat(LogRequest.parseFrom(lines.get(0))).isEqualTo(LogRequest.newBuilder().setHeader(header).setLeaseGrant(grant).build());
    assertThat(LogRequest.parseFrom(lines.get(1))).isEqualTo(LogRequest.newBuilder().setHeader(header).setPut(put).build());
    assertThat(lines.get(2)).asString().isEqualTo("e2");
  }

  @Test
  void the_log_is_found_where_the_member_had_it_or_where_it_is_said_to_be() throws Exception {
    Path wal = temp.resolve("wal");
    write(wal, 1, List.of(entry(1)));
    assertThat(dump(null)).containsExactly("e1");
    Path moved = Files.move(wal, temp.resolve("moved"));
    assertThat(dump(moved)).containsExactly("e1");
    assertThatThrownBy(() -> dump(null)).isInstanceOf(DataDirectory.RefusedException.class).hasMessageContaining("has its log in " + wal);
  }

  @Test
  void a_member_does_not_begin_a_second_log() throws Exception {
    write(temp.resolve("wal"), 1, List.of(entry(1)));
    assertThatThrownBy(() -> DataDirectory.open(root(), null))
        .isInstanceOf(DataDirectory.RefusedException.class)
        .hasMessageContaining("has its log in " + temp.resolve("wal"))
        .hasMessageContaining("--wal-dir");
    assertThat(root().resolve("member/log")).doesNotExist();
    DataDirectory.open(root(), temp.resolve("wal")).close();
  }
}
