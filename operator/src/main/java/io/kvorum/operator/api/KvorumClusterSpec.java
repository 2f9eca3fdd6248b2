package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.fabric8.kubernetes.model.annotation.SpecReplicas;
import java.util.List;
import java.util.Map;

/**
 * What a user asks for. Absent fields get their defaults here as well as in the API server, so that a file read on a laptop means the same.
 *
 * @param replicas voters wanted
 * @param version Kvorum version of the members; one minor at a time, never backwards across a minor
 * @param paused observe and report only
 * @param hibernated no pods, all volumes kept
 * @param config options of the server beside those that have fields of their own; those that the operator owns are refused
 * @param quotaBytes quota of the database; the server's own default when absent
 * @param heartbeatInterval interval of heartbeats; the server's own default when absent
 * @param electionTimeout election timeout; the server's own default when absent
 * @param jvmOptions options of the members' Java runtime
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@ValidationRule(
    value = "has(self.bootstrap) == has(oldSelf.bootstrap) && (!has(self.bootstrap) || self.bootstrap == oldSelf.bootstrap)",
    message = "bootstrap is read once and cannot be changed")
@ValidationRule(
    value = "!(has(self.auth) && self.auth.enabled) || (has(self.tls) && self.tls.client.mode != 'Disabled')",
    message = "auth needs TLS for clients")
@ValidationRule(
    value = "has(self.tls) == has(oldSelf.tls) && (!has(self.tls) || (self.tls.peer.mode == 'Disabled') == (oldSelf.tls.peer.mode == 'Disabled'))",
    message = "TLS between peers cannot be switched on or off later")
@ValidationRule(
    value = "!((has(self.backup) && has(self.backup.delta) && self.backup.delta.enabled) || (has(self.deletion) && self.deletion.finalBackup))"
        + " || (has(self.backup) && has(self.backup.destination))",
    message = "delta backups and a final backup need backup.destination")
public record KvorumClusterSpec(
    @Default("3") @SpecReplicas @ValidationRule(value = "self in [1, 3, 5, 7]", message = "replicas is 1, 3, 5 or 7") Integer replicas,
    @Required @Size(max = 64) @Pattern("^[0-9]{1,4}\\.[0-9]{1,4}\\.[0-9]{1,4}(-[0-9A-Za-z.-]+)?$") String version,
    ImageSpec image,
    @Default("false") Boolean paused,
    @Default("false") Boolean hibernated,
    @Required StorageSpec storage,
    @Size(max = 64) Map<String, @Size(max = 1024) String> config,
    @Min(67108864) Long quotaBytes,
    AutoCompactionSpec autoCompaction,
    @Size(max = 32) @Pattern(Api.DURATION) String heartbeatInterval,
    @Size(max = 32) @Pattern(Api.DURATION) String electionTimeout,
    ResourceRequirements resources,
    @Size(max = 32) List<@Size(max = 256) String> jvmOptions,
    PodTemplate podTemplate,
    ServicesSpec services,
    @Default(TlsSpec.DEFAULT) TlsSpec tls,
    AuthSpec auth,
    LeaderSpec leader,
    UpdateSpec update,
    HealingSpec healing,
    MaintenanceSpec maintenance,
    BackupSpec backup,
    BootstrapSpec bootstrap,
    DeletionSpec deletion,
    MonitoringSpec monitoring,
    InjectionSpec injection) {

  /** Quota that the server uses when none is given, in bytes. */
  public static final long DEFAULT_QUOTA = 2L << 30;

  public KvorumClusterSpec {
    replicas = replicas == null ? 3 : replicas;
    version = Api.orEmpty(version);
    image = image == null ? ImageSpec.DEFAULTS : image;
    paused = paused != null && paused;
    hibernated = hibernated != null && hibernated;
    config = config == null ? Map.of() : Map.copyOf(config);
    jvmOptions = jvmOptions == null ? List.of() : List.copyOf(jvmOptions);
    podTemplate = podTemplate == null ? PodTemplate.NONE : podTemplate;
    services = services == null ? ServicesSpec.DEFAULTS : services;
    tls = tls == null ? TlsSpec.DEFAULTS : tls;
    update = update == null ? UpdateSpec.DEFAULTS : update;
    healing = healing == null ? HealingSpec.DEFAULTS : healing;
    maintenance = maintenance == null ? MaintenanceSpec.DEFAULTS : maintenance;
    monitoring = monitoring == null ? MonitoringSpec.NONE : monitoring;
    injection = injection == null ? InjectionSpec.DEFAULTS : injection;
  }

  /** Quota of the database in bytes. */
  public long effectiveQuota() {
    return quotaBytes == null ? DEFAULT_QUOTA : quotaBytes;
  }

  /** Authentication is wanted. */
  public boolean wantsAuth() {
    return auth != null && auth.enabled();
  }

  /** Zones where the leader should be, best first; empty for no wish. */
  public List<String> preferredZones() {
    return leader == null ? List.of() : leader.preferredZones();
  }

  /** A backup is wanted before everything is deleted. */
  public boolean wantsFinalBackup() {
    return deletion != null && deletion.finalBackup();
  }
}
