package io.kvorum.operator.webhook;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.admission.v1.AdmissionResponse;
import io.fabric8.kubernetes.api.model.admission.v1.AdmissionResponseBuilder;
import io.fabric8.kubernetes.api.model.admission.v1.AdmissionReviewBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.desired.Defaults;
import io.kvorum.operator.inject.Injection;
import io.kvorum.operator.inject.Outcome;
import io.kvorum.operator.workload.Declaration.ClusterRef;
import java.io.IOException;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Answers an AdmissionReview (admission.k8s.io/v1) about a pod. A pod is always admitted: as it is, with a warning, when it cannot get its agent. */
public final class Admission {
  private static final Logger LOG = Logger.getLogger(Admission.class.getName());

  /** Kubernetes cuts warnings at 256 characters, and all of them together at 4096. */
  private static final int WARNING = 256;

  private static final int WARNINGS = 12;
  private static final String VERSION = "admission.k8s.io/v1";

  private final Function<ClusterRef, Optional<KvorumCluster>> clusters;
  private final Defaults defaults;

  /** @param clusters finds the cluster that a pod asks; may fail */
  public Admission(Function<ClusterRef, Optional<KvorumCluster>> clusters, Defaults defaults) {
    this.clusters = clusters;
    this.defaults = defaults;
  }

  /**
   * Answers one review.
   *
   * @throws IllegalArgumentException for what is no review of a pod
   */
  public byte[] answer(byte[] review) {
    ObjectMapper json = Serialization.jsonMapper();
    try {
      JsonNode request = json.readTree(review).path("request");
      String uid = request.path("uid").asText();
      if (uid.isEmpty() || !request.path("object").isObject()) {
        throw new IllegalArgumentException("no AdmissionReview of " + VERSION + " with a request");
      }
      Pod pod = json.treeToValue(request.get("object"), Pod.class);
      if (pod.getMetadata() == null || pod.getSpec() == null) {
        throw new IllegalArgumentException("no Pod in the AdmissionReview");
      }
      AdmissionResponse response = response(uid, decide(pod, request.path("namespace").asText()), json);
      return json.writeValueAsBytes(new AdmissionReviewBuilder().withApiVersion(VERSION).withKind("AdmissionReview").withResponse(response).build());
    } catch (IOException e) {
      throw new IllegalArgumentException("no AdmissionReview: " + e.getMessage(), e);
    }
  }

  private Outcome decide(Pod pod, String namespace) {
    try {
      return Injection.decide(pod, namespace, clusters, defaults);
    } catch (KubernetesClientException e) {
      LOG.log(Level.WARNING, "a pod in {0} asks for an agent, and its cluster could not be read: {1}", new Object[] {namespace, e.getMessage()});
      return new Outcome.Refused(List.of("its KvorumCluster could not be read"));
    }
  }

  private static AdmissionResponse response(String uid, Outcome outcome, ObjectMapper json) throws JsonProcessingException {
    AdmissionResponseBuilder response = new AdmissionResponseBuilder().withUid(uid).withAllowed(true);
    switch (outcome) {
      case Outcome.Present() -> {
        // Nothing changes.
      }
      case Outcome.Patched(List<Outcome.Operation> patch, List<String> warnings) ->
          response.withPatchType("JSONPatch").withPatch(Base64.getEncoder().encodeToString(json.writeValueAsBytes(patch))).withWarnings(warnings(warnings));
      case Outcome.Refused(List<String> reasons) -> response.withWarnings(warnings(reasons.stream().map(reason -> "no kvorum-agent: " + reason).toList()));
    }
    return response.build();
  }

  private static List<String> warnings(List<String> texts) {
    return texts.stream().limit(WARNINGS).map(text -> text.length() > WARNING ? text.substring(0, WARNING) : text).toList();
  }
}
