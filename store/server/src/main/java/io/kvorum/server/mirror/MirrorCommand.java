package io.kvorum.server.mirror;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code kvorum mirror}: follows one cluster into another until it is ended; begun again it goes on where it was. */
@Command(
    name = "mirror",
    sortOptions = false,
    description = "Follows a live etcd or Kvorum into another cluster. Copies first, or goes on from an imported snapshot or from where it was; whatever would be left out is an error.")
public final class MirrorCommand implements Callable<Integer> {
  @ArgGroup(exclusive = false, multiplicity = "1")
  private Source source;

  @ArgGroup(exclusive = false, multiplicity = "1")
  private Target destination;

  @Option(names = "--prefix", defaultValue = "", description = "keys that begin so (default: all)")
  private String prefix;

  @Option(names = "--from-revision", defaultValue = "0", description = "the destination was imported from a snapshot of the source at this revision")
  private long fromRevision;

  @Option(names = "--until-caught-up", description = "end once the destination has all that the source had at the beginning")
  private boolean untilCaughtUp;

  @Option(
      names = "--position-key", defaultValue = "kvorum.io/mirror",
      description = "the destination's key that tells how far the mirror is (default: ${DEFAULT-VALUE}); delete it when the move is over")
  private String positionKey;

  @Option(names = {"-h", "--help"}, usageHelp = true, description = "this text")
  private boolean help;

  private final PrintStream out;
  private final PrintStream err;

  private static final class Source {
    @Option(names = "--source", required = true, split = ",", description = "its endpoints: HOST:PORT,... or https://HOST:PORT,...")
    private List<String> endpoints;

    @Option(names = "--source-cacert", description = "whom to trust")
    private Path caCertificate;

    @Option(names = "--source-cert", description = "own certificate")
    private Path certificate;

    @Option(names = "--source-key", description = "its key")
    private Path key;

    @Option(names = "--source-user", description = "user with the root role, or READ on what is mirrored")
    private String user;

    @Option(names = "--source-password-file", description = "holds the user's password")
    private Path passwordFile;
  }

  private static final class Target {
    @Option(names = "--destination", required = true, split = ",", description = "its endpoints")
    private List<String> endpoints;

    @Option(names = "--destination-cacert", description = "whom to trust")
    private Path caCertificate;

    @Option(names = "--destination-cert", description = "own certificate")
    private Path certificate;

    @Option(names = "--destination-key", description = "its key")
    private Path key;

    @Option(names = "--destination-user", description = "user who may write what is mirrored and the position")
    private String user;

    @Option(names = "--destination-password-file", description = "holds the user's password")
    private Path passwordFile;
  }

  /**
   * @param out the result
   * @param err progress
   */
  public MirrorCommand(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    Remote.Address from = address(source.endpoints, source.caCertificate, source.certificate, source.key, source.user, source.passwordFile);
    Remote.Address to = address(destination.endpoints, destination.caCertificate, destination.certificate, destination.key, destination.user, destination.passwordFile);
    try (Remote reading = new Remote("source", from, err);
        Remote writing = new Remote("destination", to, err)) {
      Mirror mirror = new Mirror(reading, writing, Span.prefix(prefix), ByteString.copyFromUtf8(positionKey), untilCaughtUp, err, System::nanoTime);
      long reached = mirror.run(fromRevision);
      out.println("the destination has all changes up to revision " + reached + " of the source");
      return 0;
    } catch (GapException gap) {
      err.println("mirror: " + gap.getMessage());
      return 1;
    }
  }

  private static Remote.Address address(List<String> endpoints, Path caCertificate, Path certificate, Path key, String user, Path passwordFile) throws IOException {
    if ((certificate == null) != (key == null) || (user == null) != (passwordFile == null)) {
      throw new IOException("a certificate needs its key, and a user a password file");
    }
    String password = passwordFile == null ? null : Files.readString(passwordFile).strip();
    return new Remote.Address(List.copyOf(endpoints), caCertificate, certificate, key, user, password);
  }
}
