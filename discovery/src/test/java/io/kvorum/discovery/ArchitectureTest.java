package io.kvorum.discovery;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** An application takes this jar: it brings gRPC, the stubs and a JSON library, and nothing of the server. */
class ArchitectureTest {
  @Test
  void it_knows_the_protocol_alone() {
    classes()
        .that().resideInAPackage("io.kvorum.discovery..")
        .should().onlyDependOnClassesThat().resideInAnyPackage(
            "java..", "io.kvorum.discovery..", "io.kvorum.protocol..", "io.grpc", "io.grpc.stub..", "com.google.protobuf..", "com.google.gson..")
        .check(new ClassFileImporter().withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("io.kvorum.discovery"));
  }
}
