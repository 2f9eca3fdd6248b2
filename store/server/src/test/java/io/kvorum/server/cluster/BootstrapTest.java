package io.kvorum.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.protocol.internal.MembersResponse;
import io.kvorum.protocol.internal.StoredMember;
import io.kvorum.server.base.FeatureLevel;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BootstrapTest {
  private static final PeerUrls.Resolver RESOLVER =
      host -> {
        if (host.equals("nowhere")) {
          throw new UnknownHostException("no such host");
        }
        return host.equals("localhost") ? "127.0.0.1" : host;
      };
  private static final String THREE = "a=http://127.0.0.1:1,b=http://127.0.0.1:2,c=http://127.0.0.1:3";

  private static Genesis run(String name, String own, String cluster, boolean existing, MembersResponse answer) throws BootstrapException {
    ClusterFlags flags = new ClusterFlags(name, List.of(own), ClusterFlags.parseInitialCluster(cluster), "etcd-cluster", existing);
    return new Bootstrap(flags, (urls, timeout) -> Optional.ofNullable(answer), RESOLVER).run();
  }

  @Test
  void theDefaultClusterHasEtcdsIds() throws Exception {
    Genesis genesis = run("default", "http://localhost:2380", "default=http://localhost:2380", false, null);

    assertThat(MemberIds.hex(genesis.memberId())).isEqualTo("8e9e05c52164694d");
    assertThat(MemberIds.hex(genesis.clusterId())).isEqualTo("cdf818194e3a8c32");
    assertThat(genesis.membership().voters()).containsExactly(genesis.memberId());
  }

  @Test
  void allFoundersComeToTheSameState() throws Exception {
    Genesis a = run("a", "http://127.0.0.1:1", THREE, false, null);
    Genesis b = run("b", "http://localhost:2", THREE, false, null);

    assertThat(b.initialView()).isEqualTo(a.initialView());
    assertThat(b.clusterId()).isEqualTo(a.clusterId());
    assertThat(b.memberId()).isNotEqualTo(a.memberId());
    assertThat(a.membership().voters()).hasSize(3).contains(a.memberId(), b.memberId());
    assertThat(a.initialView().members().values()).extracting(Member::name).containsExactlyInAnyOrder("a", "b", "c");
  }

  @Test
  void refusesFlagsThatDoNotFit() {
    assertThatThrownBy(() -> run("x", "http://127.0.0.1:1", THREE, false, null))
        .hasMessage("couldn't find local name \"x\" in the initial cluster configuration");
    assertThatThrownBy(() -> run("a", "http://127.0.0.1:9", THREE, false, null)).hasMessageContaining("--initial-cluster has a=http://127.0.0.1:1");
    assertThatThrownBy(() -> run("a", "http://nowhere:1", THREE, false, null)).hasMessageContaining("failed to resolve");
    assertThatThrownBy(() -> ClusterFlags.parseInitialCluster("a=http://h:1,b=http://h:1")).hasMessageContaining("has duplicate url");
    assertThatThrownBy(() -> ClusterFlags.parseInitialCluster("a=h:1")).isInstanceOf(BootstrapException.class);
  }

  @Test
  void aNameMayHaveSeveralUrls() throws Exception {
    assertThat(ClusterFlags.parseInitialCluster("a=http://h:2,a=http://h:1,b=http://h:3").get("a")).containsExactly("http://h:1", "http://h:2");
  }

  @Test
  void aMemberThatLostItsDataIsNotStartedAgain() throws Exception {
    Genesis first = run("a", "http://127.0.0.1:1", THREE, false, null);
    MembersResponse.Builder known = MembersResponse.newBuilder().setClusterId(first.clusterId());
    known.addMembers(StoredMember.newBuilder().setId(first.memberId()).setName("a"));
    run("a", "http://127.0.0.1:1", THREE, false, known.build());

    known.getMembersBuilder(0).addClientUrls("http://127.0.0.1:2379");

    assertThatThrownBy(() -> run("a", "http://127.0.0.1:1", THREE, false, known.build()))
        .hasMessage("member " + MemberIds.hex(first.memberId()) + " has already been bootstrapped");
  }

  private static MembersResponse running() {
    return MembersResponse.newBuilder()
        .setClusterId(0xabc)
        .setFeatureLevel(1)
        .addMembers(StoredMember.newBuilder().setId(11).setName("a").addPeerUrls("http://127.0.0.1:1").addClientUrls("http://c"))
        .addMembers(StoredMember.newBuilder().setId(12).addPeerUrls("http://localhost:2").setIsLearner(true))
        .addFounders(MemberContext.newBuilder().setId(11).setName("a").addPeerUrls("http://127.0.0.1:1"))
        .build();
  }

  @Test
  void joinsAnExistingCluster() throws Exception {
    Genesis genesis = run("new", "http://127.0.0.1:2", "a=http://127.0.0.1:1,new=http://127.0.0.1:2", true, running());

    assertThat(genesis.clusterId()).isEqualTo(0xabc);
    assertThat(genesis.memberId()).isEqualTo(12);
    assertThat(genesis.membership().voters()).as("log index 0 means the founders").isEqualTo(new TreeSet<>(Set.of(11L)));
    assertThat(genesis.contacts()).extracting(Member::id).containsExactly(11L, 12L);
  }

  @Test
  void refusesAClusterThatDiffers() {
    assertThatThrownBy(() -> run("new", "http://127.0.0.1:2", "new=http://127.0.0.1:2", true, running())).hasMessageContaining("member count is unequal");
    assertThatThrownBy(() -> run("new", "http://127.0.0.1:2", "a=http://127.0.0.1:7,new=http://127.0.0.1:2", true, running()))
        .hasMessageContaining("unmatched member while checking PeerURLs");
    assertThatThrownBy(() -> run("new", "http://127.0.0.1:2", "a=http://127.0.0.1:1,new=http://127.0.0.1:2", true, null))
        .hasMessageContaining("could not retrieve cluster information from the given URLs");
    MembersResponse newer = running().toBuilder().setFeatureLevel(FeatureLevel.SUPPORTED + 1).build();
    assertThatThrownBy(() -> run("new", "http://127.0.0.1:2", "a=http://127.0.0.1:1,new=http://127.0.0.1:2", true, newer))
        .hasMessageContaining("feature level");
  }

  @Test
  void genesisIsKept(@TempDir Path directory) throws Exception {
    Genesis genesis = run("new", "http://127.0.0.1:2", "a=http://127.0.0.1:1,new=http://127.0.0.1:2", true, running());
    GenesisFile file = new GenesisFile(directory);
    assertThat(file.read()).isNull();

    file.write(genesis);

    assertThat(new GenesisFile(directory).read().toProto()).isEqualTo(genesis.toProto());
    Path path = directory.resolve("genesis");
    byte[] bytes = Files.readAllBytes(path);
    bytes[bytes.length - 1] ^= 1;
    Files.write(path, bytes);
    assertThatThrownBy(file::read).hasMessageContaining(path.toString());
  }
}
