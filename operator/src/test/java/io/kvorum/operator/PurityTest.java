package io.kvorum.operator;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZonedDateTime;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What decides does no I/O, reads no clock and draws no random numbers; so an observation reproduces every decision. */
class PurityTest {
  private static final String[] PURE = {
    "io.kvorum.operator.plan..", "io.kvorum.operator.status..", "io.kvorum.operator.desired..", "io.kvorum.operator.api..", "io.kvorum.operator.backup..",
    "io.kvorum.operator.schedule..", "io.kvorum.operator.workload..", "io.kvorum.operator.inject.."
  };
  private static final JavaClasses CLASSES =
      new ClassFileImporter().withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS).importPackages("io.kvorum.operator");

  @Test
  void whatDecidesTouchesNothingOutside() {
    noClasses().that().resideInAnyPackage(PURE).should().dependOnClassesThat().resideInAnyPackage(
        "java.net..", "java.nio.channels..", "java.nio.file..", "io.grpc..", "io.javaoperatorsdk..", "io.kvorum.operator.runtime..",
        "io.kvorum.operator.store..", "io.kvorum.operator.act..", "io.kvorum.operator.engine..").check(CLASSES);
  }

  @Test
  void whatDecidesReadsNoClockAndDrawsNoNumbers() {
    noClasses().that().resideInAnyPackage(PURE)
        .should().callMethod(Instant.class, "now")
        .orShould().callMethod(LocalDateTime.class, "now")
        .orShould().callMethod(ZonedDateTime.class, "now")
        .orShould().callMethod(System.class, "currentTimeMillis")
        .orShould().callMethod(System.class, "nanoTime")
        .orShould().dependOnClassesThat().areAssignableTo(Clock.class)
        .orShould().dependOnClassesThat().areAssignableTo(Random.class)
        .orShould().dependOnClassesThat().areAssignableTo(Thread.class)
        .check(CLASSES);
  }

  @Test
  void theKubernetesClientStaysOutOfPlanAndStatus() {
    noClasses().that().resideInAnyPackage("io.kvorum.operator.plan..", "io.kvorum.operator.status..")
        .should().dependOnClassesThat().haveFullyQualifiedName("io.fabric8.kubernetes.client.KubernetesClient").check(CLASSES);
  }
}
