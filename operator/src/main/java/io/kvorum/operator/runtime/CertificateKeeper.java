package io.kvorum.operator.runtime;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Secret;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumMember;
import io.kvorum.operator.api.TlsSpec;
import io.kvorum.operator.certificates.Authority;
import io.kvorum.operator.certificates.Issuer;
import io.kvorum.operator.certificates.KeyPairPem;
import io.kvorum.operator.certificates.Leaf;
import io.kvorum.operator.certificates.Pem;
import io.kvorum.operator.desired.Defaults;
import io.kvorum.operator.desired.MemberPod;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.desired.Names.Plane;
import io.kvorum.operator.desired.Secrets;
import io.kvorum.operator.desired.ServerOptions;
import io.kvorum.operator.observe.Observation.Certificate;
import io.kvorum.operator.observe.Observation.Certificates;
import io.kvorum.operator.observe.Observation.Certificates.Phase;
import io.kvorum.operator.observe.StoreState;
import io.kvorum.operator.store.StoreAccess;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The certificates of one cluster: those of the operator's own authority, those that cert-manager issues, and those that were given. */
public final class CertificateKeeper {
  /** Stands among expected fingerprints for "its own present leaf on each plane", which differs from member to member. */
  private static final String OWN_LEAVES = "own-leaves";

  /** Name of the authorities' end in the observation. */
  private static final String AUTHORITIES = "ca";

  private final SecretStore store;
  private final Issuer issuer;
  private final Defaults defaults;
  private final InstantSource clock;
  private Map<String, Secret> secrets = Map.of();

  public CertificateKeeper(SecretStore store, Issuer issuer, Defaults defaults, InstantSource clock) {
    this.store = store;
    this.issuer = issuer;
    this.defaults = defaults;
    this.clock = clock;
  }

  /** Reads the secrets of the cluster, those of its own and those that it names. */
  public void read(KvorumCluster cluster) {
    secrets = store.read(cluster, named(cluster));
  }

  /** Secrets that the specification names. */
  private static Set<String> named(KvorumCluster cluster) {
    Set<String> names = new HashSet<>();
    for (Plane plane : MemberPod.planes(cluster.getSpec().tls())) {
      TlsSpec.Plane tls = MemberPod.of(cluster.getSpec().tls(), plane);
      if (tls.mode() == TlsSpec.Mode.SECRET) {
        names.add(tls.secretRef());
      }
    }
    // The operator makes its own when it is absent, but not any more when it only serves to switch authentication off.
    if (!cluster.rootSecret().isEmpty() && !(cluster.getSpec().wantsAuth() && own(cluster))) {
      names.add(cluster.rootSecret());
    }
    return names;
  }

  /** Secrets that the specification names and that do not exist. */
  public List<String> missing(KvorumCluster cluster) {
    return named(cluster).stream().filter(name -> !secrets.containsKey(name)).sorted().toList();
  }

  /** Makes and renews what is the operator's to make; the owner of what belongs to a member is the member. */
  public void apply(KvorumCluster cluster, List<KvorumMember> members) {
    for (Plane plane : MemberPod.planes(cluster.getSpec().tls())) {
      TlsSpec.Plane tls = MemberPod.of(cluster.getSpec().tls(), plane);
      switch (tls.mode()) {
        case MANAGED -> managed(cluster, members, plane);
        case CERT_MANAGER -> ordered(cluster, members, plane, tls);
        case SECRET, DISABLED -> {
          // Nothing is made.
        }
      }
    }
    if (cluster.getSpec().tls().client().on()) {
      String trusted = trusted(cluster);
      if (!trusted.isEmpty()) {
        store.apply(owned(Secrets.trust(cluster, trusted), cluster));
      }
    }
  }

  private void managed(KvorumCluster cluster, List<KvorumMember> members, Plane plane) {
    Authority authority = authority(cluster, plane).orElseGet(() -> Authority.create(issuer, authorityName(cluster, plane, clock.instant()), clock.instant()));
    keep(owned(Secrets.authority(cluster, plane, authority), cluster));
    for (KvorumMember member : members) {
      String name = member.getSpec().memberName();
      Map<String, String> labels = Names.labels(cluster.getMetadata().getName(), name);
      leaf(cluster, authority, Names.certificate(name, plane), labels, Secrets.leafOf(cluster, name, plane, defaults), Owners.controlledBy(member));
    }
    if (plane == Plane.CLIENT) {
      String name = cluster.getMetadata().getName();
      leaf(cluster, authority, Names.operatorCertificate(name), Names.labels(name), Secrets.operatorLeaf(), Owners.controlledBy(cluster));
    }
  }

  private void leaf(KvorumCluster cluster, Authority authority, String name, Map<String, String> labels, Leaf wanted, OwnerReference owner) {
    KeyPairPem pair = Optional.ofNullable(secrets.get(name)).map(Secrets::pair).orElse(new KeyPairPem("", ""));
    if (!authority.keeps(pair, wanted, clock.instant())) {
      pair = issuer.leaf(authority.signer(), wanted, clock.instant(), Authority.LEAF_VALIDITY);
    }
    Secret secret = Secrets.leaf(cluster, name, labels, pair, authority.bundle());
    secret.getMetadata().setOwnerReferences(List.of(owner));
    keep(secret);
  }

  private void ordered(KvorumCluster cluster, List<KvorumMember> members, Plane plane, TlsSpec.Plane tls) {
    for (KvorumMember member : members) {
      String name = member.getSpec().memberName();
      GenericKubernetesResource order =
          Secrets.order(
              cluster, tls, Names.certificate(name, plane), Names.labels(cluster.getMetadata().getName(), name),
              Secrets.leafOf(cluster, name, plane, defaults));
      order.getMetadata().setOwnerReferences(List.of(Owners.controlledBy(member)));
      store.apply(order);
    }
    if (plane == Plane.CLIENT) {
      String name = cluster.getMetadata().getName();
      store.apply(owned(Secrets.order(cluster, tls, Names.operatorCertificate(name), Names.labels(name), Secrets.operatorLeaf()), cluster));
    }
  }

  private void keep(Secret secret) {
    store.apply(secret);
    Map<String, Secret> next = new HashMap<>(secrets);
    next.put(secret.getMetadata().getName(), secret);
    secrets = next;
  }

  /** Moves the rotation of every authority that is the operator's. */
  public void rotate(KvorumCluster cluster, Phase phase) {
    for (Plane plane : MemberPod.planes(cluster.getSpec().tls())) {
      authority(cluster, plane)
          .ifPresent(
              authority ->
                  keep(owned(Secrets.authority(cluster, plane, authority.to(phase, issuer, authorityName(cluster, plane, clock.instant()), clock.instant())), cluster)));
    }
  }

  private Optional<Authority> authority(KvorumCluster cluster, Plane plane) {
    if (MemberPod.of(cluster.getSpec().tls(), plane).mode() != TlsSpec.Mode.MANAGED) {
      return Optional.empty();
    }
    return Optional.ofNullable(secrets.get(Names.authority(cluster.getMetadata().getName(), plane))).map(Secrets::authority);
  }

  /** Another one each time: some clients tell the authorities of a bundle apart by their names alone. At most 63 characters. */
  private static String authorityName(KvorumCluster cluster, Plane plane, Instant now) {
    return "kvorum " + plane.text() + " " + cluster.getMetadata().getName() + " " + Long.toHexString(now.getEpochSecond());
  }

  /** What the planner is told: phase, ends, and what each member must report before the next phase. */
  public Certificates facts(KvorumCluster cluster) {
    List<Certificate> certificates = new ArrayList<>();
    List<String> expected = new ArrayList<>();
    Optional<Phase> phase = Optional.empty();
    Optional<Instant> authoritiesEnd = Optional.empty();
    for (Plane plane : MemberPod.planes(cluster.getSpec().tls())) {
      Optional<Authority> authority = authority(cluster, plane);
      if (authority.isPresent()) {
        Instant end = authority.get().signer().notAfter();
        authoritiesEnd = Optional.of(authoritiesEnd.filter(other -> other.isBefore(end)).orElse(end));
        Phase own = authority.get().phase();
        phase = Optional.of(phase.map(before -> behind(before, own)).orElse(own));
        if (reportsAuthorities(cluster, plane)) {
          expected.addAll(authority.get().trusted());
        }
      }
    }
    // Both planes' authorities are rotated together.
    authoritiesEnd.ifPresent(end -> certificates.add(new Certificate(AUTHORITIES, end)));
    secrets.values().stream()
        .filter(secret -> secret.getMetadata().getName().endsWith("-tls") && !Secrets.value(secret, Secrets.CERTIFICATE).isEmpty())
        .map(secret -> new Certificate(secret.getMetadata().getName(), Secrets.pair(secret).notAfter()))
        .sorted(Comparator.comparing(Certificate::name))
        .forEach(certificates::add);
    Phase present = phase.orElse(Phase.STABLE);
    if (present == Phase.REISSUE_LEAVES || present == Phase.DROP_OLD) {
      expected.add(OWN_LEAVES);
    }
    return new Certificates(present, certificates, expected);
  }

  /** A member has the authority of clients only when it demands certificates of them. */
  private static boolean reportsAuthorities(KvorumCluster cluster, Plane plane) {
    return plane == Plane.PEER || cluster.getSpec().tls().client().clientAuth() == TlsSpec.ClientAuth.REQUIRED;
  }

  /** Two planes that an interruption left in different phases are in the one from which the same step is carried out again. */
  private static Phase behind(Phase one, Phase other) {
    if (one == Phase.STABLE || other == Phase.STABLE) {
      Phase moving = one == Phase.STABLE ? other : one;
      return moving == Phase.DROP_OLD ? Phase.DROP_OLD : Phase.STABLE;
    }
    return one.compareTo(other) < 0 ? one : other;
  }

  /** A member that reports its own present leaves reports {@link #OWN_LEAVES} as well. */
  public StoreState.MemberAnswer recognise(KvorumCluster cluster, StoreState.MemberAnswer answer) {
    for (Plane plane : MemberPod.planes(cluster.getSpec().tls())) {
      Secret secret = secrets.get(MemberPod.certificateSecret(MemberPod.of(cluster.getSpec().tls(), plane), answer.member(), plane));
      if (secret == null || !answer.certificateFingerprints().contains(Pem.fingerprint(Secrets.pair(secret).parsed()))) {
        return answer;
      }
    }
    Set<String> fingerprints = new HashSet<>(answer.certificateFingerprints());
    fingerprints.add(OWN_LEAVES);
    return answer.withFingerprints(fingerprints);
  }

  /** Changes with the files that are mounted into a member's pod; empty without any. */
  public String stamp(KvorumCluster cluster, String member) {
    StringBuilder files = new StringBuilder();
    for (Plane plane : MemberPod.planes(cluster.getSpec().tls())) {
      Secret secret = secrets.get(MemberPod.certificateSecret(MemberPod.of(cluster.getSpec().tls(), plane), member, plane));
      if (secret != null) {
        files.append(Secrets.value(secret, Secrets.CERTIFICATE)).append(Secrets.value(secret, Secrets.AUTHORITY));
      }
    }
    return files.isEmpty() ? "" : ServerOptions.sha256(files.toString());
  }

  /** How the operator shows itself to the members. */
  public StoreAccess access(KvorumCluster cluster) {
    TlsSpec.Plane client = cluster.getSpec().tls().client();
    Optional<StoreAccess.Tls> tls = Optional.empty();
    if (client.on()) {
      Secret own = secrets.get(client.mode() == TlsSpec.Mode.SECRET ? client.secretRef() : Names.operatorCertificate(cluster.getMetadata().getName()));
      KeyPairPem pair = own == null ? new KeyPairPem("", "") : Secrets.pair(own);
      tls = Optional.of(new StoreAccess.Tls(trusted(cluster), pair.certificate(), pair.key()));
    }
    String password = rootPassword(cluster).orElse("");
    return new StoreAccess(
        tls, password.isEmpty() ? Optional.empty() : Optional.of(new StoreAccess.Login("root", password)));
  }

  private String trusted(KvorumCluster cluster) {
    TlsSpec.Plane client = cluster.getSpec().tls().client();
    return switch (client.mode()) {
      case DISABLED -> "";
      case MANAGED -> authority(cluster, Plane.CLIENT).map(Authority::bundle).orElse("");
      case SECRET -> authorities(secrets.get(client.secretRef()));
      case CERT_MANAGER -> authorities(secrets.get(Names.operatorCertificate(cluster.getMetadata().getName())));
    };
  }

  private static String authorities(Secret secret) {
    return secret == null ? "" : Secrets.value(secret, Secrets.AUTHORITY);
  }

  /** Whether the operator itself issues the certificates that clients show. */
  public boolean issuesForClients(KvorumCluster cluster) {
    return authority(cluster, Plane.CLIENT).isPresent();
  }

  /** A client's certificate: the present one while it serves, else a new one. Only where {@link #issuesForClients}. */
  public KeyPairPem clientCertificate(KvorumCluster cluster, KeyPairPem present, Leaf wanted) {
    Authority authority = authority(cluster, Plane.CLIENT).orElseThrow();
    return authority.keeps(present, wanted, clock.instant()) ? present : issuer.leaf(authority.signer(), wanted, clock.instant(), Authority.LEAF_VALIDITY);
  }

  /** The password of root; empty when there is none. */
  public Optional<String> rootPassword(KvorumCluster cluster) {
    return Optional.ofNullable(secrets.get(cluster.rootSecret())).map(secret -> Secrets.value(secret, Secrets.PASSWORD)).filter(text -> !text.isEmpty());
  }

  /** Makes root's password when it is the operator's to make. */
  public void makeRootPassword(KvorumCluster cluster, String password) {
    if (cluster.getSpec().wantsAuth() && own(cluster)) {
      keep(owned(Secrets.credentials(cluster, password), cluster));
    }
  }

  private static boolean own(KvorumCluster cluster) {
    return cluster.rootSecret().equals(Names.rootCredentials(cluster.getMetadata().getName()));
  }

  private static <T extends HasMetadata> T owned(T object, KvorumCluster cluster) {
    object.getMetadata().setOwnerReferences(List.of(Owners.controlledBy(cluster)));
    return object;
  }
}
