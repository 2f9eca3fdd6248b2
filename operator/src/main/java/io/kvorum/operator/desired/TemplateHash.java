package io.kvorum.operator.desired;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumClusterSpec;
import io.kvorum.operator.api.PodTemplate;
import io.kvorum.operator.api.TlsSpec;
import io.kvorum.operator.plan.Action.StartMode;
import java.util.TreeMap;

/**
 * Tells whether a pod is of the present template. It covers the wishes that a member consumes, not the pod that they lead to: an operator of another version
 * that makes pods a little differently does not restart anybody. Labels, annotations and reloadable options are left out; they change while the pod runs.
 */
public final class TemplateHash {
  private static final int LENGTH = 16;

  /** Raised only when pods must be made anew whatever the user wishes. */
  private static final int TEMPLATE = 1;

  private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);

  private TemplateHash() {}

  /** The hash that an up-to-date member's pod carries. */
  public static String of(KvorumCluster cluster, Defaults defaults) {
    KvorumClusterSpec spec = cluster.getSpec();
    PodTemplate pod = spec.podTemplate();
    TreeMap<String, Object> wishes = new TreeMap<>();
    wishes.put("template", TEMPLATE);
    wishes.put("image", MemberPod.image(cluster, defaults));
    wishes.put("options", MemberConfig.restartHash(spec));
    wishes.put("jvmOptions", spec.jvmOptions());
    wishes.put("tls", plane(spec.tls().client()) + "/" + plane(spec.tls().peer()));
    putPresent(wishes, "resources", spec.resources());
    putPresent(wishes, "affinity", pod.affinity());
    putPresent(wishes, "securityContext", pod.securityContext());
    putPresent(wishes, "terminationGracePeriodSeconds", pod.terminationGracePeriodSeconds());
    wishes.put("nodeSelector", pod.nodeSelector());
    wishes.put("tolerations", pod.tolerations());
    wishes.put("topologySpreadConstraints", pod.topologySpreadConstraints());
    wishes.put("priorityClassName", pod.priorityClassName());
    wishes.put("extraEnv", pod.extraEnv());
    try {
      return ServerOptions.sha256(JSON.writeValueAsString(wishes)).substring(0, LENGTH);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The hash that a pod started in this mode carries: one that forces a new cluster is outdated at once, so that it is restarted without the force. */
  static String of(KvorumCluster cluster, Defaults defaults, StartMode mode) {
    return mode == StartMode.FORCE_NEW_CLUSTER ? "forced" : of(cluster, defaults);
  }

  private static void putPresent(TreeMap<String, Object> wishes, String name, Object value) {
    if (value != null) {
      wishes.put(name, value);
    }
  }

  private static String plane(TlsSpec.Plane plane) {
    return (plane.on() ? plane.mode() == TlsSpec.Mode.SECRET ? "secret:" + plane.secretRef() : "own" : "off")
        + (plane.clientAuth() == TlsSpec.ClientAuth.REQUIRED ? "+required" : "");
  }
}
