package io.kvorum.operator.runtime.kubernetes;

import io.fabric8.kubernetes.api.model.DeleteOptionsBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.net.HttpURLConnection;
import java.util.List;
import java.util.Map;

/** Small writes that are done already when they are repeated. */
final class Writes {
  private final KubernetesClient client;

  Writes(KubernetesClient client) {
    this.client = client;
  }

  /** Makes it; what exists under its name stays as it is. */
  <T extends HasMetadata> void create(T object) {
    try {
      client.resource(object).create();
    } catch (KubernetesClientException e) {
      if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
        throw e;
      }
    }
  }

  /** Deletes the pod with this uid and no other of its name. */
  void deletePod(String namespace, String name, String uid) {
    try {
      client.raw(
          "/api/v1/namespaces/" + namespace + "/pods/" + name, "DELETE",
          new DeleteOptionsBuilder().withApiVersion("v1").withKind("DeleteOptions").withNewPreconditions().withUid(uid).endPreconditions().build());
    } catch (KubernetesClientException e) { // gone, or another one by now
      if (e.getCode() != HttpURLConnection.HTTP_NOT_FOUND && e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
        throw e;
      }
    }
  }

  /** Deletes this very object, in the version that was read. */
  static void deleteThis(KubernetesClient client, HasMetadata object) {
    client.resource(object).lockResourceVersion(object.getMetadata().getResourceVersion()).delete();
  }

  /** Merges fields into an object; one that is gone stays gone. */
  void merge(HasMetadata object, Map<String, Object> fields) {
    try {
      client.resource(object).patch(PatchContext.of(PatchType.JSON_MERGE), Serialization.asJson(fields));
    } catch (KubernetesClientException e) {
      if (e.getCode() != HttpURLConnection.HTTP_NOT_FOUND) {
        throw e;
      }
    }
  }

  void label(HasMetadata object, Map<String, String> labels) {
    merge(object, Map.of("metadata", Map.of("labels", labels)));
  }

  void annotate(HasMetadata object, Map<String, String> annotations) {
    merge(object, Map.of("metadata", Map.of("annotations", annotations)));
  }

  /** Takes a finalizer off. */
  void release(HasMetadata object, String finalizer) {
    List<String> left = object.getMetadata().getFinalizers().stream().filter(one -> !one.equals(finalizer)).toList();
    merge(object, Map.of("metadata", Map.of("finalizers", left, "resourceVersion", object.getMetadata().getResourceVersion())));
  }
}
