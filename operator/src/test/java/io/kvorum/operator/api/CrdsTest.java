package io.kvorum.operator.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.crdv2.generator.CRDGenerationInfo;
import io.fabric8.crdv2.generator.CRDGenerator;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceColumnDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionVersion;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The definitions in {@code crds/} are made from the classes: they are what this test makes. After a change of a class run it with
 * {@code -Dkvorum.crds.write=true}, which writes them.
 */
class CrdsTest {
  private static final Path CHECKED_IN = Path.of("..", "crds");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(classes = {KvorumCluster.class, KvorumMember.class, KvorumOperation.class, KvorumBackup.class, KvorumBackupSchedule.class})
  void theCheckedInDefinitionIsWhatTheClassSays(Class<? extends CustomResource<?, ?>> kind) throws IOException {
    CRDGenerationInfo generated = new CRDGenerator().customResourceClasses(kind).forCRDVersions("v1").inOutputDir(folder.toFile()).detailedGenerate();
    String name = CustomResource.getCRDName(kind);
    assertThat(generated.numberOfGeneratedCRDs()).isEqualTo(1);
    CustomResourceDefinition definition =
        Serialization.unmarshal(Files.readString(folder.resolve(name + "-v1.yml")), CustomResourceDefinition.class);
    finish(definition, kind);
    String made = Serialization.asYaml(definition);
    Path file = CHECKED_IN.resolve(name + ".yaml");
    if (Boolean.getBoolean("kvorum.crds.write")) {
      Files.createDirectories(CHECKED_IN);
      Files.writeString(file, made);
    }
    assertThat(file).content().isEqualTo(made);
    assertThat(made.length()).as("fits the annotation of a client-side apply").isLessThan(200_000);
  }

  /** What the generator cannot say: columns in the order of the class, lists that are merged by key, and each rule of a record's component once. */
  private static void finish(CustomResourceDefinition definition, Class<?> kind) {
    List<String> order = Arrays.stream(kind.getAnnotationsByType(AdditionalPrinterColumn.class)).map(AdditionalPrinterColumn::name).toList();
    CustomResourceDefinitionVersion version = definition.getSpec().getVersions().getFirst();
    version.getAdditionalPrinterColumns().sort(Comparator.comparing((CustomResourceColumnDefinition column) -> order.indexOf(column.getName())));
    once(version.getSchema().getOpenAPIV3Schema());
    JSONSchemaProps status = version.getSchema().getOpenAPIV3Schema().getProperties().get("status");
    Map.of("conditions", "type", "members", "name").forEach((list, key) -> {
      JSONSchemaProps items = status.getProperties().get(list);
      if (items != null) {
        items.setXKubernetesListType("map");
        items.setXKubernetesListMapKeys(List.of(key));
      }
    });
  }

  private static void once(JSONSchemaProps schema) {
    if (schema.getXKubernetesValidations() != null) {
      schema.setXKubernetesValidations(schema.getXKubernetesValidations().stream().distinct().toList());
    }
    if (schema.getProperties() != null) {
      schema.getProperties().values().forEach(CrdsTest::once);
    }
  }
}
