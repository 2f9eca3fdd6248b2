package io.kvorum.operator.inject;

import io.kvorum.operator.api.Api;

/** Annotations of pods that ask for an agent, beside those that {@link io.kvorum.operator.workload.Declaration} reads. */
public final class Annotations {
  /** Prefixes that the agent keeps a copy of, by commas; all that it may read and write when absent, none when empty. */
  public static final String MIRROR = Api.GROUP + "/mirror";

  /** Port of the agent on loopback; 2379 when absent. */
  public static final String PORT = Api.GROUP + "/agent-port";

  /** Resources of the agent's container: a ResourceRequirements in JSON, or {@code cpu=QUANTITY,memory=QUANTITY}. */
  public static final String RESOURCES = Api.GROUP + "/agent-resources";

  /** {@code true}: serializable reads of mirrored prefixes go on while the agent is cut off. */
  public static final String STALE_READS = Api.GROUP + "/stale-reads";

  /** Port on loopback where registered services answer to DNS, UDP and TCP; nowhere when absent. */
  public static final String DNS_PORT = Api.GROUP + "/dns-port";

  /** Number or name of a container port that is registered; the only one that the containers declare when absent. */
  public static final String REGISTER_PORT = Api.GROUP + "/register-port";

  /** Metadata of the entry: {@code KEY=VALUE} by commas. */
  public static final String REGISTER_METADATA = Api.GROUP + "/register-metadata";

  /** What says that the pod is ready, in place of its readinessProbe: {@code http://127.0.0.1:PORT/PATH}, {@code tcp://…}, {@code grpc://…} or {@code none}. */
  public static final String REGISTER_READINESS = Api.GROUP + "/register-readiness";

  /** Seconds between the entry's end and the application's SIGTERM; 5 when absent. */
  public static final String DRAIN_SECONDS = Api.GROUP + "/drain-seconds";

  private Annotations() {}
}
