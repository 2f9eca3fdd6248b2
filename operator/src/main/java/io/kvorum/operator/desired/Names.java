package io.kvorum.operator.desired;

import io.kvorum.operator.api.Api;
import java.util.LinkedHashMap;
import java.util.Map;

/** Names of the objects of a cluster, their labels and annotations. Names of a cluster's objects and of its members' objects never meet. */
public final class Names {
  /** Label: name of the cluster. */
  public static final String CLUSTER = Api.GROUP + "/cluster";

  /** Label: name of the member. */
  public static final String MEMBER = Api.GROUP + "/member";

  /** Label of pods: {@link #VOTER} or {@link #LEARNER}. */
  public static final String ROLE = Api.GROUP + "/role";

  /** Label of pods: {@code true} puts a voter behind the client Service. */
  public static final String SERVING = Api.GROUP + "/serving";

  /** Label of a claim that was kept: id of the member that it belonged to. Such a claim is never used again. */
  public static final String FORMER_MEMBER = Api.GROUP + "/former-member-id";

  /** Label of pods that read a data directory: name of the cluster. They carry no {@link #CLUSTER}, so that no Service finds them. */
  public static final String INSPECTION = Api.GROUP + "/inspection";

  /** Label of Jobs of backups and their pods: backup, verify or delete. */
  public static final String BACKUP_JOB = Api.GROUP + "/backup-job";

  /** Label of Jobs of backups and their pods: {@link #label} of the KvorumBackup's name. */
  public static final String BACKUP = Api.GROUP + "/backup";

  /** Annotation of pods: hash of the template that they were made from. */
  public static final String TEMPLATE_HASH = Api.GROUP + "/template-hash";

  /** Annotation of pods: the version of their image. */
  public static final String VERSION = Api.GROUP + "/version";

  /** Annotation of pods: {@link io.kvorum.operator.plan.Action.StartMode} that they were started in. */
  public static final String START_MODE = Api.GROUP + "/start-mode";

  /** Annotation of pods: the cluster token that they were started with. */
  public static final String START_TOKEN = Api.GROUP + "/start-token";

  /** Annotation of pods: the initial peers that they were started with, by commas. */
  public static final String START_PEERS = Api.GROUP + "/start-peers";

  /** Annotation of pods: hash of their configuration; a change makes the kubelet refresh the mounted files at once. */
  public static final String CONFIG_HASH = Api.GROUP + "/config-hash";

  /** Annotation of pods: hash of their certificate files, for the same reason. */
  public static final String CERTIFICATES_HASH = Api.GROUP + "/certificates-hash";

  /** Annotation of an authority's secret: phase of its rotation. */
  public static final String ROTATION_PHASE = Api.GROUP + "/rotation-phase";

  /** Annotation of the operator's own authority: leaves issued before this moment are issued anew. */
  public static final String LEAVES_AFTER = Api.GROUP + "/leaves-after";

  /** Label of KvorumBackups: name of the KvorumBackupSchedule whose run it is. */
  public static final String SCHEDULE = Api.GROUP + "/schedule";

  /** Label of KvorumBackups with the value {@code true}: taken by itself, as spec.backup.delta of the cluster asks. */
  public static final String CONTINUOUS = Api.GROUP + "/continuous";

  /** Annotation of KvorumBackups: a verification is asked for under this name; answered when status.verification.request is equal. */
  public static final String VERIFY = Api.GROUP + "/verify";

  public static final String VOTER = "voter";
  public static final String LEARNER = "learner";

  /** Owner of applied fields. */
  public static final String FIELD_MANAGER = "kvorum-operator";

  /** Longest value of a label, and longest name of a Job, which becomes one. */
  private static final int LABEL = 63;

  private static final int HASH = 8;

  private Names() {}

  public static String clientService(String cluster) {
    return cluster + "-client";
  }

  public static String peerService(String cluster) {
    return cluster + "-peer";
  }

  public static String metricsService(String cluster) {
    return cluster + "-metrics";
  }

  public static String externalService(String cluster) {
    return cluster + "-external";
  }

  /** ConfigMap with ca.crt, what clients trust. */
  public static String trust(String cluster) {
    return cluster + "-ca";
  }

  /** Secret with the authority of one plane. */
  public static String authority(String cluster, Plane plane) {
    return cluster + "-" + plane.text() + "-ca";
  }

  /** Secret with the operator's own certificate for the client port. */
  public static String operatorCertificate(String cluster) {
    return cluster + "-operator-tls";
  }

  /** Secret with the password of root, unless the specification names another. */
  public static String rootCredentials(String cluster) {
    return cluster + "-root";
  }

  public static String config(String member) {
    return member + "-config";
  }

  /** A volume claim; the cluster's uid keeps a new cluster of an old name away from the claims that the old one left. */
  public static String claim(String member, String clusterUid) {
    return "data-" + member + "-" + clusterUid.substring(0, Math.min(8, clusterUid.length()));
  }

  /** A claim with a copy of another's data. */
  public static String copyOf(String claim) {
    return claim + "-before-recovery";
  }

  /** A pod that reads a member's data directory. */
  public static String inspection(String member) {
    return member + "-inspect";
  }

  /** A name as a label's value or a Job's name takes it: one that is too long is cut and ends with a hash of the whole. */
  public static String label(String name) {
    return shortened(name, LABEL);
  }

  /** The Job that does this to a backup, on this attempt. */
  public static String backupJob(String backup, BackupJob.Kind kind, int attempt) {
    String end = "-" + kind.text() + "-" + attempt;
    return shortened(backup, LABEL - end.length()) + end;
  }

  /** A name of at most so many characters: one that is too long is cut and ends with a hash of the whole. */
  public static String shortened(String name, int limit) {
    if (name.length() <= limit) {
      return name;
    }
    return name.substring(0, limit - HASH - 1).replaceAll("[^a-z0-9]+$", "") + "-" + ServerOptions.sha256(name).substring(0, HASH);
  }

  /** Secret with a member's certificate for one plane. */
  public static String certificate(String member, Plane plane) {
    return member + "-" + plane.text() + "-tls";
  }

  /** Host name of a member inside the Kubernetes cluster. */
  public static String host(String member, String cluster, String namespace) {
    return member + "." + peerService(cluster) + "." + namespace + ".svc";
  }

  /** Labels that all objects of a cluster carry. */
  public static Map<String, String> labels(String cluster) {
    Map<String, String> labels = new LinkedHashMap<>();
    labels.put("app.kubernetes.io/instance", cluster);
    labels.put("app.kubernetes.io/managed-by", FIELD_MANAGER);
    labels.put("app.kubernetes.io/name", "kvorum");
    labels.put(CLUSTER, cluster);
    return labels;
  }

  /** Labels that all objects of a member carry. */
  public static Map<String, String> labels(String cluster, String member) {
    Map<String, String> labels = labels(cluster);
    labels.put(MEMBER, member);
    return labels;
  }

  /** Selects the pods of a cluster, as a text. */
  public static String selector(String cluster) {
    return CLUSTER + "=" + cluster;
  }

  /** The two sides of a member that have certificates of their own. */
  public enum Plane {
    CLIENT("client"),
    PEER("peer");

    private final String text;

    Plane(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }
}
