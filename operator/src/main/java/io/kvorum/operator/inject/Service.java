package io.kvorum.operator.inject;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.GRPCAction;
import io.fabric8.kubernetes.api.model.HTTPGetAction;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Probe;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The service that a pod offers under its registration, and what tells the agent that it does.
 *
 * @param port that others connect to
 * @param readiness URL that the agent asks; empty for what it does by itself: whether the port is open at the pod's address
 * @param periodSeconds how often
 */
record Service(int port, String readiness, int periodSeconds) {
  /** As often as this without a probe that says otherwise. */
  private static final int PERIOD = 1;

  /** A kubelet asks every ten seconds unless told otherwise; who waits for the pod to be found should not. */
  private static final int LONGEST_PERIOD = 5;

  /** What may stand in a URL as it is. */
  private static final Pattern PATH = Pattern.compile("([-A-Za-z0-9._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*");

  private static final String LOOPBACK = "://127.0.0.1:";

  /** A port of a container. */
  private record Listener(Container container, ContainerPort port) {}

  /** What was found; the service is absent when something stands against it. */
  record Found(Optional<Service> service, List<String> problems, List<String> warnings) {}

  /** The registered port of the pod's containers, and the readinessProbe of the container that has it, as the agent can ask it. */
  static Found of(Pod pod, Wish.Registration wish) {
    List<Listener> listeners = new ArrayList<>();
    for (Container container : pod.getSpec().getContainers()) {
      for (ContainerPort port : container.getPorts()) {
        if (port.getProtocol() == null || port.getProtocol().equals("TCP")) {
          listeners.add(new Listener(container, port));
        }
      }
    }
    boolean numbered = wish.port().matches("[0-9]+");
    List<Listener> chosen = listeners.stream().filter(one -> matches(one.port(), wish.port())).toList();
    if (chosen.size() == 1) {
      return probed(chosen.getFirst(), wish);
    }
    if (numbered && chosen.isEmpty()) {
      int port = Integer.parseInt(wish.port());
      return port >= 1 && port <= 65_535
          ? new Found(Optional.of(new Service(port, wish.readiness(), PERIOD)), List.of(), List.of())
          : refused(Annotations.REGISTER_PORT + " is a number from 1 to 65535, not " + wish.port());
    }
    if (!wish.port().isEmpty()) {
      return refused(Annotations.REGISTER_PORT + ": " + (chosen.isEmpty() ? "no container has" : "several containers have") + " a TCP port " + wish.port());
    }
    return refused("the containers declare " + (listeners.isEmpty() ? "no TCP port" : "several TCP ports") + ": set " + Annotations.REGISTER_PORT);
  }

  private static boolean matches(ContainerPort port, String wanted) {
    return wanted.isEmpty() || wanted.equals(String.valueOf(port.getContainerPort())) || wanted.equals(port.getName());
  }

  private static Found refused(String problem) {
    return new Found(Optional.empty(), List.of(problem), List.of());
  }

  private static Found probed(Listener listener, Wish.Registration wish) {
    int port = listener.port().getContainerPort();
    Probe probe = listener.container().getReadinessProbe();
    int period = probe == null || probe.getPeriodSeconds() == null ? PERIOD : Math.clamp(probe.getPeriodSeconds(), 1, LONGEST_PERIOD);
    if (!wish.readiness().isEmpty() || probe == null) {
      return new Found(Optional.of(new Service(port, wish.readiness(), period)), List.of(), List.of());
    }
    Optional<String> asked = translated(probe, listener);
    List<String> warnings =
        asked.isPresent()
            ? List.of()
            : List.of("the readinessProbe of the container " + listener.container().getName() + " cannot be asked from beside it: the pod is registered while port "
                + port + " is open; " + Annotations.REGISTER_READINESS + " names another question");
    return new Found(Optional.of(new Service(port, asked.orElse(""), period)), List.of(), warnings);
  }

  /** Empty for what another container cannot ask in the same way: commands, TLS, another host, headers. */
  private static Optional<String> translated(Probe probe, Listener listener) {
    HTTPGetAction http = probe.getHttpGet();
    if (http != null) {
      boolean plain =
          (http.getScheme() == null || http.getScheme().equals("HTTP"))
              && (http.getHost() == null || http.getHost().isEmpty())
              && http.getHttpHeaders().isEmpty()
              && (http.getPath() == null || PATH.matcher(http.getPath()).matches());
      String path = http.getPath() == null || http.getPath().isEmpty() ? "/" : http.getPath();
      return number(http.getPort(), listener.container()).filter(port -> plain).map(port -> "http" + LOOPBACK + port + (path.startsWith("/") ? path : "/" + path));
    }
    if (probe.getTcpSocket() != null) {
      boolean here = probe.getTcpSocket().getHost() == null || probe.getTcpSocket().getHost().isEmpty();
      return number(probe.getTcpSocket().getPort(), listener.container())
          .filter(port -> here)
          .map(port -> port.equals(listener.port().getContainerPort()) ? "" : "tcp" + LOOPBACK + port);
    }
    GRPCAction grpc = probe.getGrpc();
    if (grpc == null || (grpc.getService() != null && !PATH.matcher(grpc.getService()).matches())) {
      return Optional.empty();
    }
    return Optional.of("grpc" + LOOPBACK + grpc.getPort() + (grpc.getService() == null || grpc.getService().isEmpty() ? "" : "/" + grpc.getService()));
  }

  private static Optional<Integer> number(IntOrString port, Container container) {
    if (port.getIntVal() != null) {
      return Optional.of(port.getIntVal());
    }
    return container.getPorts().stream().filter(one -> Objects.equals(one.getName(), port.getStrVal())).map(ContainerPort::getContainerPort).findFirst();
  }
}
