package io.kvorum.operator.desired;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.ServicePortBuilder;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.ServicesSpec.ServiceSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The Services of a cluster. Ports carry the names under which etcd's clients look for SRV records. */
public final class Services {
  private Services() {}

  public static List<Service> all(KvorumCluster cluster) {
    List<Service> services = new ArrayList<>(List.of(client(cluster), peer(cluster), metrics(cluster)));
    if (cluster.getSpec().services().external() != null) {
      services.add(external(cluster));
    }
    return services;
  }

  /** Voters that serve, by one name. */
  static Service client(KvorumCluster cluster) {
    return forClients(cluster, Names.clientService(cluster.getMetadata().getName()), cluster.getSpec().services().client());
  }

  /** The same for clients outside; of a cluster that wants none, the one to delete. */
  public static Service external(KvorumCluster cluster) {
    ServiceSpec wanted = cluster.getSpec().services().external();
    return forClients(cluster, Names.externalService(cluster.getMetadata().getName()), wanted == null ? cluster.getSpec().services().client() : wanted);
  }

  private static Service forClients(KvorumCluster cluster, String name, ServiceSpec wanted) {
    Map<String, String> selector = new LinkedHashMap<>();
    selector.put(Names.CLUSTER, cluster.getMetadata().getName());
    selector.put(Names.ROLE, Names.VOTER);
    selector.put(Names.SERVING, "true");
    return base(cluster, name, wanted.labels())
        .editMetadata()
        .withAnnotations(wanted.annotations())
        .endMetadata()
        .withNewSpec()
        .withType(
            switch (wanted.type()) {
              case CLUSTER_IP -> "ClusterIP";
              case NODE_PORT -> "NodePort";
              case LOAD_BALANCER -> "LoadBalancer";
            })
        .withSelector(selector)
        .withPorts(clientPort(cluster))
        .endSpec()
        .build();
  }

  /** All members, each by its own name, ready or not: a member finds its peers before it is ready. */
  static Service peer(KvorumCluster cluster) {
    String name = cluster.getMetadata().getName();
    return base(cluster, Names.peerService(name), Map.of())
        .withNewSpec()
        .withClusterIP("None")
        .withPublishNotReadyAddresses(true)
        .withSelector(Map.of(Names.CLUSTER, name))
        .withPorts(peerPort(cluster), clientPort(cluster))
        .endSpec()
        .build();
  }

  /** All members' metrics, learners included. */
  static Service metrics(KvorumCluster cluster) {
    String name = cluster.getMetadata().getName();
    return base(cluster, Names.metricsService(name), Map.of("kvorum.io/service", "metrics"))
        .withNewSpec()
        .withClusterIP("None")
        .withPublishNotReadyAddresses(true)
        .withSelector(Map.of(Names.CLUSTER, name))
        .withPorts(port("metrics", PodConfig.METRICS_PORT))
        .endSpec()
        .build();
  }

  private static ServiceBuilder base(KvorumCluster cluster, String name, Map<String, String> more) {
    Map<String, String> labels = new LinkedHashMap<>(more);
    labels.putAll(Names.labels(cluster.getMetadata().getName()));
    return new ServiceBuilder().withNewMetadata().withName(name).withNamespace(cluster.getMetadata().getNamespace()).withLabels(labels).endMetadata();
  }

  private static ServicePort clientPort(KvorumCluster cluster) {
    return port(cluster.getSpec().tls().client().on() ? "etcd-client-ssl" : "etcd-client", PodConfig.CLIENT_PORT);
  }

  private static ServicePort peerPort(KvorumCluster cluster) {
    return port(cluster.getSpec().tls().peer().on() ? "etcd-server-ssl" : "etcd-server", PodConfig.PEER_PORT);
  }

  private static ServicePort port(String name, int port) {
    return new ServicePortBuilder().withName(name).withPort(port).withNewTargetPort(port).withProtocol("TCP").build();
  }
}
