package io.kvorum.operator.runtime.local;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumClusterSpec;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.api.KvorumMember;
import io.kvorum.operator.api.KvorumMemberSpec;
import io.kvorum.operator.api.KvorumOperation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/** What is known of a cluster on this machine, in files: the cluster with its status, members, operations, claims, slots of ports. For one thread. */
final class LocalState {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int PASSWORD_BYTES = 18;

  private final Path root;
  private final ObjectFiles<KvorumCluster> clusters;
  private final ObjectFiles<KvorumMember> members;
  private final ObjectFiles<KvorumOperation> operations;
  private final Claims claims;
  private KvorumCluster cluster;
  private SortedMap<String, Integer> slots;

  private LocalState(Path root, KvorumCluster cluster, ObjectFiles<KvorumCluster> clusters) throws IOException {
    this.root = root;
    this.clusters = clusters;
    this.cluster = cluster;
    this.members = new ObjectFiles<>(root.resolve("members"), KvorumMember.class);
    this.operations = new ObjectFiles<>(root.resolve("operations"), KvorumOperation.class);
    this.claims = new Claims(root);
    Files.createDirectories(root.resolve("config"));
    Files.createDirectories(root.resolve("logs"));
    Path file = root.resolve("slots.json");
    this.slots = Files.exists(file) ? new TreeMap<>(JSON.readValue(file.toFile(), new TypeReference<Map<String, Integer>>() {})) : new TreeMap<>();
  }

  /**
   * Opens a folder, or begins a cluster in it.
   *
   * @param wanted name and specification to begin with; the specification of a cluster that is there is set by {@link #accept}
   */
  static LocalState open(Path root, KvorumCluster wanted, InstantSource clock) throws IOException {
    Files.createDirectories(root);
    ObjectFiles<KvorumCluster> clusters = new ObjectFiles<>(root.resolve("cluster"), KvorumCluster.class);
    KvorumCluster known = clusters.all().stream().findFirst().orElse(null);
    if (known == null) {
      known = new KvorumCluster();
      known.setMetadata(
          new ObjectMetaBuilder().withName(wanted.getMetadata().getName()).withUid(UUID.randomUUID().toString()).withGeneration(1L)
              .withCreationTimestamp(clock.instant().toString()).build());
      known.setSpec(wanted.getSpec());
      known.setStatus(KvorumClusterStatus.EMPTY);
      clusters.put(known);
    }
    return new LocalState(root, known, clusters);
  }

  KvorumCluster cluster() {
    return cluster;
  }

  ObjectFiles<KvorumMember> members() {
    return members;
  }

  ObjectFiles<KvorumOperation> operations() {
    return operations;
  }

  Claims claims() {
    return claims;
  }

  /** Takes over a specification that was found acceptable; the generation counts its changes. */
  void accept(KvorumClusterSpec spec) throws IOException {
    if (!spec.equals(cluster.getSpec())) {
      KvorumCluster next = copy();
      next.getMetadata().setGeneration(cluster.getMetadata().getGeneration() + 1);
      next.setSpec(spec);
      clusters.put(next);
      cluster = next;
    }
  }

  void writeStatus(KvorumCluster changed) throws IOException {
    if (!changed.getStatus().equals(cluster.getStatus())) {
      KvorumCluster next = copy();
      next.setStatus(changed.getStatus());
      clusters.put(next);
      cluster = next;
    }
  }

  private KvorumCluster copy() {
    KvorumCluster next = new KvorumCluster();
    next.setMetadata(new ObjectMetaBuilder(cluster.getMetadata()).build());
    next.setSpec(cluster.getSpec());
    next.setStatus(cluster.getStatus());
    return next;
  }

  /** Writes the members that one begins with into its object, once; one that has some has been started before, which is what wakes it after a sleep. */
  void beginWith(String name, List<String> initialPeers) throws IOException {
    KvorumMember member = members.get(name).orElse(null);
    if (member != null && member.getSpec().initialPeers().isEmpty()) {
      KvorumMemberSpec spec = member.getSpec();
      member.setSpec(
          new KvorumMemberSpec(
              spec.clusterName(), spec.memberName(), spec.ordinal(), spec.clusterToken(), spec.peerURL(), initialPeers, spec.joinMode(), spec.volumeClaimName()));
      members.put(member);
    }
  }

  int slot(String member) {
    Integer slot = slots.get(member);
    if (slot == null) {
      throw new IllegalStateException("member " + member + " has no place");
    }
    return slot;
  }

  void claimSlot(String member) throws IOException {
    saveSlots(Places.withSlot(slots, member));
  }

  void releaseSlot(String member) throws IOException {
    SortedMap<String, Integer> next = new TreeMap<>(slots);
    next.remove(member);
    saveSlots(next);
  }

  private void saveSlots(SortedMap<String, Integer> next) throws IOException {
    if (!next.equals(slots)) {
      Processes.replace(root.resolve("slots.json"), JSON.writeValueAsString(next));
      slots = next;
    }
  }

  /** Password of root, made at the first use, readable by this user alone. */
  String rootPassword() throws IOException {
    Path file = root.resolve("root-password");
    if (!Files.exists(file)) {
      byte[] random = new byte[PASSWORD_BYTES];
      new SecureRandom().nextBytes(random);
      Path temporary = root.resolve("root-password.tmp");
      Files.deleteIfExists(temporary);
      Files.createFile(temporary, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.writeString(temporary, HexFormat.of().formatHex(random));
      Files.move(temporary, file);
    }
    return Files.readString(file);
  }

  /** Everything of this cluster is deleted. */
  void delete() throws IOException {
    Claims.deleteAll(root);
  }
}
