package io.kvorum.operator.plugin;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.kvorum.operator.api.BootstrapSpec;
import io.kvorum.operator.api.KvorumBackupSpec;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.api.KvorumOperationSpec;
import io.kvorum.operator.api.KvorumOperationStatus;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code kubectl kvorum}: asks the operator for one-shot work by a KvorumOperation, follows it to its end, and shows how a cluster is doing. */
@Command(
    name = "kubectl kvorum",
    description = "Looks at Kvorum clusters and asks their operator for one-shot work.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
public final class Plugin {
  private static final Duration LOOK = Duration.ofSeconds(1);
  private static final String CLEAR = "\u001b[H\u001b[2J";

  @Spec private CommandSpec spec;

  @Option(names = {"-n", "--namespace"}, scope = ScopeType.INHERIT, description = "Namespace (default: that of the context).")
  private String namespace;

  @Option(names = "--context", scope = ScopeType.INHERIT, description = "Context of the kubeconfig (default: its current one).")
  private String context;

  @Option(names = "--kubeconfig", scope = ScopeType.INHERIT, description = "Kubeconfig file (default: as kubectl finds it).")
  private Path kubeconfig;

  @Option(names = "--local", scope = ScopeType.INHERIT, paramLabel = "DIR", description = "Folder of a kvorum up, in place of Kubernetes.")
  private Path local;

  @Option(names = "--no-wait", scope = ScopeType.INHERIT, description = "Return as soon as the operation is asked for.")
  private boolean noWait;

  private final Supplier<Objects> given;

  public Plugin() {
    this.given = null;
  }

  Plugin(Supplier<Objects> given) {
    this.given = given;
  }

  /** Exit code: 0 done, 1 failed or refused, 2 wrong arguments. */
  public static void main(String... arguments) {
    System.exit(commandLine(new Plugin()).execute(arguments));
  }

  static CommandLine commandLine(Plugin plugin) {
    return new CommandLine(plugin)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionExceptionHandler(
            (failure, line, parsed) -> {
              if (failure instanceof PluginException || failure instanceof KubernetesClientException) {
                line.getErr().println("kubectl kvorum: " + failure.getMessage().lines().findFirst().orElse(""));
                return 1;
              }
              throw failure;
            });
  }

  @Command(description = "Shows a cluster, or all of the namespace.", mixinStandardHelpOptions = true)
  int status(
      @Parameters(arity = "0..1", paramLabel = "CLUSTER") String cluster,
      @Option(names = {"-w", "--watch"}, description = "Show it again when it changes.") boolean watch)
      throws InterruptedException {
    try (Objects objects = objects()) {
      String shown = null;
      do {
        StringBuilder text = new StringBuilder();
        for (KvorumCluster found : cluster == null ? objects.clusters() : List.of(cluster(objects, cluster))) {
          String backups = BackupCommands.table(objects.backups(found.getMetadata().getName()));
          text.append(text.isEmpty() ? "" : "\n").append(StatusText.render(found)).append(backups.isEmpty() ? "" : "\n" + backups);
        }
        if (!text.toString().equals(shown)) {
          shown = text.toString();
          out().print((watch && System.console() != null ? CLEAR : "") + (shown.isEmpty() ? "No clusters.\n" : shown));
          out().flush();
        }
        if (watch) {
          TimeUnit.NANOSECONDS.sleep(LOOK.toNanos());
        }
      } while (watch);
    }
    return 0;
  }

  @Command(name = "transfer-leader", description = "Moves leadership.", mixinStandardHelpOptions = true)
  int transferLeader(
      @Parameters(paramLabel = "CLUSTER") String cluster, @Option(names = "--to", description = "Member that shall lead (default: the operator's choice).") String to)
      throws InterruptedException {
    return ask(cluster, "transfer-leader", operation().transferLeader(new KvorumOperationSpec.TransferLeader(to)));
  }

  @Command(description = "Restarts members one after the other, the leader last and moved before.", mixinStandardHelpOptions = true)
  int restart(
      @Parameters(paramLabel = "CLUSTER") String cluster, @Parameters(arity = "0..*", paramLabel = "MEMBER") List<String> members,
      @Option(names = "--reason", description = "Shown in the Events.") String reason)
      throws InterruptedException {
    return ask(cluster, "restart", operation().restart(new KvorumOperationSpec.Restart(members, reason)));
  }

  @Command(description = "Replaces a member by a new one with an empty volume.", mixinStandardHelpOptions = true)
  int replace(
      @Parameters(paramLabel = "CLUSTER") String cluster, @Parameters(paramLabel = "MEMBER") String member,
      @Option(names = "--keep-volume", description = "Keep the old volume; the cluster never uses it again.") boolean keepVolume)
      throws InterruptedException {
    return ask(cluster, "replace", operation().replaceMember(new KvorumOperationSpec.ReplaceMember(member, keepVolume)));
  }

  @Command(description = "Reclaims space, one member after the other.", mixinStandardHelpOptions = true)
  int defragment(@Parameters(paramLabel = "CLUSTER") String cluster, @Parameters(arity = "0..*", paramLabel = "MEMBER") List<String> members)
      throws InterruptedException {
    return ask(cluster, "defragment", operation().defragment(new KvorumOperationSpec.Defragment(members)));
  }

  @Command(description = "Compacts the history.", mixinStandardHelpOptions = true)
  int compact(
      @Parameters(paramLabel = "CLUSTER") String cluster, @Option(names = "--revision", description = "Revision to compact at (default: the newest).") Long revision)
      throws InterruptedException {
    return ask(cluster, "compact", operation().compact(new KvorumOperationSpec.Compact(revision)));
  }

  @Command(name = "rotate-certificates", description = "Renews certificates, or the authority with them.", mixinStandardHelpOptions = true)
  int rotateCertificates(@Parameters(paramLabel = "CLUSTER") String cluster, @Option(names = "--authority", description = "The authority as well.") boolean authority)
      throws InterruptedException {
    KvorumOperationSpec.RotateCertificates.Kind kind =
        authority ? KvorumOperationSpec.RotateCertificates.Kind.CERTIFICATE_AUTHORITY : KvorumOperationSpec.RotateCertificates.Kind.LEAF;
    return ask(cluster, "rotate-certificates", operation().rotateCertificates(new KvorumOperationSpec.RotateCertificates(kind)));
  }

  @Command(description = "Goes on with one surviving member after a majority was lost for good.", mixinStandardHelpOptions = true)
  int recover(
      @Parameters(paramLabel = "CLUSTER") String cluster, @Option(names = "--survivor", description = "Member to go on with (default: the one that has most).") String survivor,
      @Option(names = "--min-revision", description = "Refuse when the survivor has less.") Long minRevision,
      @Option(names = "--acknowledge-data-loss", required = true, description = "Writes that the survivor does not have are lost.") boolean acknowledged)
      throws InterruptedException {
    return ask(cluster, "recover", operation().recoverQuorum(new KvorumOperationSpec.RecoverQuorum(survivor, minRevision, acknowledged)));
  }

  @Command(description = "Takes a backup of a cluster.", mixinStandardHelpOptions = true)
  int backup(
      @Parameters(paramLabel = "CLUSTER") String cluster,
      @Option(names = "--type", defaultValue = "full", description = "full, or delta: what was written since the backup before (default: full).") KvorumBackupSpec.Type type,
      @Option(names = "--verify", description = "Restore it in a place of its own afterwards and compare.") boolean verify,
      @Option(names = "--delete-artefact", description = "What is stored goes when the backup's object is deleted (default: it stays).") boolean delete,
      @Option(names = "--wait", description = "Follow it to its end, as is done without --no-wait.") boolean wait)
      throws InterruptedException {
    try (Objects objects = objects()) {
      BackupCommands backups = new BackupCommands(objects, out());
      String name = backups.ask(cluster(objects, cluster), type, verify, delete ? KvorumBackupSpec.DeletionPolicy.DELETE : KvorumBackupSpec.DeletionPolicy.RETAIN);
      return noWait && !wait ? 0 : backups.follow(name, verify);
    }
  }

  @Command(name = "verify", description = "Restores a backup in a place of its own and compares.", mixinStandardHelpOptions = true)
  int verify(@Parameters(paramLabel = "CLUSTER") String cluster, @Parameters(paramLabel = "BACKUP") String backup) throws InterruptedException {
    try (Objects objects = objects()) {
      new BackupCommands(objects, out()).restorable(cluster(objects, cluster).getMetadata().getName(), backup);
    }
    return ask(cluster, "verify", operation().verifyBackup(new KvorumOperationSpec.VerifyBackup(backup)));
  }

  @Command(
      description = {
        "Puts a cluster back to a backup, or writes the new cluster that begins with it.",
        "In place, all clients are interrupted and everything written after the backup is lost. Beside it: kubectl kvorum restore CLUSTER BACKUP --into NEW | kubectl apply -f -"
      },
      mixinStandardHelpOptions = true)
  int restore(
      @Parameters(paramLabel = "CLUSTER") String cluster, @Parameters(paramLabel = "BACKUP") String backup,
      @Option(names = "--revision", description = "Up to this revision (default: everything that the backup has).") Long revision,
      @Option(names = "--time", description = "Up to this moment, e.g. 2026-01-02T03:04:05Z; with --into.") String time,
      @Option(names = "--into", paramLabel = "NEW", description = "Write a new cluster of this name that begins with the backup; nothing is changed.") String into,
      @Option(names = "--acknowledge-data-loss", description = "In place: writes after the backup are lost.") boolean acknowledged)
      throws InterruptedException {
    if (revision != null && time != null) {
      throw new CommandLine.ParameterException(spec.subcommands().get("restore"), "--revision and --time exclude each other");
    }
    if (into == null && !acknowledged) {
      throw new CommandLine.ParameterException(
          spec.subcommands().get("restore"),
          "putting " + cluster + " back loses what was written since: add --acknowledge-data-loss; or restore into a new cluster beside it:"
              + " kubectl kvorum restore " + cluster + " " + backup + " --into NEW | kubectl apply -f -");
    }
    if (into == null && time != null) {
      throw new CommandLine.ParameterException(spec.subcommands().get("restore"), "--time goes with --into; in place it is --revision");
    }
    try (Objects objects = objects()) {
      KvorumCluster found = cluster(objects, cluster);
      new BackupCommands(objects, out()).restorable(cluster, backup);
      if (into != null) {
        BootstrapSpec.Target target = revision == null && time == null ? null : new BootstrapSpec.Target(revision, time);
        out().print(BackupCommands.manifest(found, into, backup, target));
        out().flush();
        return 0;
      }
    }
    return ask(cluster, "restore", operation().restoreInPlace(new KvorumOperationSpec.RestoreInPlace(backup, revision, acknowledged)));
  }

  private static OperationChoice operation() {
    return new OperationChoice();
  }

  private int ask(String cluster, String verb, OperationChoice choice) throws InterruptedException {
    try (Objects objects = objects()) {
      cluster(objects, cluster);
      KvorumOperation operation = new KvorumOperation();
      String name = cluster + "-" + verb + "-" + UUID.randomUUID().toString().substring(0, 8);
      operation.setMetadata(new ObjectMetaBuilder().withName(name).build());
      operation.setSpec(choice.of(cluster));
      objects.create(operation);
      out().println("operation " + name + " asked for");
      out().flush();
      return noWait ? 0 : follow(objects, name, operation.getSpec().deadlineSeconds());
    }
  }

  /** Shows each step until the operation has come to its end; the operator itself gives up at the operation's deadline. */
  private int follow(Objects objects, String name, int deadlineSeconds) throws InterruptedException {
    String shown = "";
    long limit = System.nanoTime() + Duration.ofSeconds(deadlineSeconds).plusMinutes(1).toNanos();
    while (System.nanoTime() < limit) {
      Optional<KvorumOperation> operation = objects.operation(name);
      KvorumOperationStatus status = operation.map(KvorumOperation::getStatus).orElse(KvorumOperationStatus.EMPTY);
      String line = (StatusText.word(status.phase()) + "  " + status.step() + "  " + status.message()).stripTrailing();
      if (!line.equals(shown)) {
        out().println(line);
        out().flush();
        shown = line;
      }
      if (status.phase().isFinal()) {
        return status.phase() == KvorumOperationStatus.Phase.SUCCEEDED ? 0 : 1;
      }
      TimeUnit.NANOSECONDS.sleep(LOOK.toNanos());
    }
    throw new PluginException("operation " + name + " did not come to its end in time; is the operator running?");
  }

  private static KvorumCluster cluster(Objects objects, String name) {
    return objects.cluster(name).orElseThrow(() -> new PluginException("there is no cluster " + name));
  }

  private Objects objects() {
    if (given != null) {
      return given.get();
    }
    return local != null ? new LocalObjects(local) : new KubernetesObjects(kubeconfig, context, namespace);
  }

  private PrintWriter out() {
    return spec.commandLine().getOut();
  }
}
