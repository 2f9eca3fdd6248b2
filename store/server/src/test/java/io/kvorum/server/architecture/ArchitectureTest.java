package io.kvorum.server.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Who may know whom. */
class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter().withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("io.kvorum");

  private static final String[] OUTSIDE = {"io.grpc..", "io.netty..", "io.quarkus..", "jakarta..", "com.google.protobuf.."};

  @Test
  void consensus_knows_nothing_but_the_language() {
    noClasses().that().resideInAPackage("io.kvorum.raft..").should().dependOnClassesThat().resideInAnyPackage(OUTSIDE).check(CLASSES);
    noClasses()
        .that().resideInAPackage("io.kvorum.raft..")
        .should().dependOnClassesThat().resideInAnyPackage("io.kvorum.mvcc..", "io.kvorum.protocol..", "io.kvorum.server..")
        .check(CLASSES);
  }

  @Test
  void the_core_of_consensus_does_no_input_or_output_and_has_no_threads() {
    noClasses()
        .that().resideInAPackage("io.kvorum.raft.core..")
        .should().dependOnClassesThat().resideInAnyPackage("java.io..", "java.nio.file..", "java.nio.channels..", "java.net..", "java.util.concurrent..", "java.time..", "io.kvorum.raft.log..")
        .check(CLASSES);
  }

  @Test
  void the_history_knows_neither_consensus_nor_the_network() {
    noClasses().that().resideInAPackage("io.kvorum.mvcc..").should().dependOnClassesThat().resideInAnyPackage(OUTSIDE).check(CLASSES);
    noClasses()
        .that().resideInAPackage("io.kvorum.mvcc..")
        .should().dependOnClassesThat().resideInAnyPackage("io.kvorum.raft..", "io.kvorum.protocol..", "io.kvorum.server..")
        .check(CLASSES);
  }

  @Test
  void the_file_format_of_etcd_knows_nothing_but_the_language() {
    noClasses().that().resideInAPackage("io.kvorum.bbolt..").should().dependOnClassesThat().resideInAnyPackage(OUTSIDE).check(CLASSES);
    noClasses()
        .that().resideInAPackage("io.kvorum.bbolt..")
        .should().dependOnClassesThat().resideInAnyPackage(
            "java.nio.file..", "java.nio.channels..", "java.net..", "java.util.concurrent..", "io.kvorum.raft..", "io.kvorum.mvcc..", "io.kvorum.protocol..",
            "io.kvorum.server..")
        .check(CLASSES);
  }

  @Test
  void chronicle_is_known_to_the_segments_alone() {
    noClasses()
        .that().resideOutsideOfPackage("io.kvorum.mvcc.segment..")
        .should().dependOnClassesThat().resideInAPackage("net.openhft..")
        .check(CLASSES);
  }

  @Test
  void the_protocol_knows_none_of_us() {
    noClasses()
        .that().resideInAPackage("io.kvorum.protocol..")
        .should().dependOnClassesThat().resideInAnyPackage("io.kvorum.raft..", "io.kvorum.mvcc..", "io.kvorum.server..")
        .check(CLASSES);
  }

  @Test
  void only_the_composition_knows_all_parts_of_the_server() {
    classes()
        .that().resideInAPackage("io.kvorum.server.process..")
        .should().onlyHaveDependentClassesThat().resideInAnyPackage("io.kvorum.server.process..", "io.quarkus..")
        .check(CLASSES);
    noClasses()
        .that().resideOutsideOfPackage("io.kvorum.server.process..")
        .should().dependOnClassesThat().resideInAnyPackage("io.quarkus..", "jakarta..")
        .check(CLASSES);
  }

  @Test
  void the_ground_floor_of_the_server_knows_no_service() {
    noClasses()
        .that().resideInAnyPackage("io.kvorum.server.base..", "io.kvorum.server.logging..")
        .should().dependOnClassesThat().resideInAnyPackage(
            "io.kvorum.server.apply..", "io.kvorum.server.auth..", "io.kvorum.server.cluster..", "io.kvorum.server.config..", "io.kvorum.server.front..",
            "io.kvorum.server.kv..",
            "io.kvorum.server.lease..", "io.kvorum.server.maintenance..", "io.kvorum.server.peer..", "io.kvorum.server.process..", "io.kvorum.server.propose..",
            "io.kvorum.server.watch..")
        .check(CLASSES);
    noClasses()
        .that().resideInAPackage("io.kvorum.server.config..")
        .should().dependOnClassesThat().resideInAnyPackage("io.grpc..", "io.netty..", "io.quarkus..", "io.kvorum.raft..", "io.kvorum.mvcc..")
        .check(CLASSES);
    noClasses()
        .that().resideInAPackage("io.kvorum.server.front..")
        .should().dependOnClassesThat().resideInAnyPackage("io.kvorum.raft..", "io.kvorum.mvcc..", "io.kvorum.protocol..")
        .check(CLASSES);
  }

  @Test
  void applying_the_log_knows_no_network() {
    noClasses()
        .that().resideInAPackage("io.kvorum.server.apply..")
        .should().dependOnClassesThat().resideInAnyPackage("io.netty..", "io.grpc.netty..", "io.grpc.stub..", "io.kvorum.server.peer..", "io.kvorum.server.front..")
        .check(CLASSES);
  }

  @Test
  void repositories_of_backups_know_no_members_and_only_one_door_leads_to_object_storage() {
    noClasses()
        .that().resideInAPackage("io.kvorum.server.backup.repository..")
        .should().dependOnClassesThat().resideInAnyPackage(
            "io.grpc..", "io.netty..", "com.google.protobuf..", "io.kvorum.raft..", "io.kvorum.protocol..", "io.kvorum.mvcc.store..", "io.kvorum.mvcc.segment..",
            "io.kvorum.server.process..", "io.kvorum.server.peer..", "io.kvorum.server.apply..")
        .check(CLASSES);
    noClasses()
        .that().haveNameNotMatching("io\\.kvorum\\.server\\.backup\\.repository\\.(S3|Destination).*")
        .should().dependOnClassesThat().resideInAPackage("software.amazon..")
        .check(CLASSES);
  }
}
