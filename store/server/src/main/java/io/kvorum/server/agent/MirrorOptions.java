package io.kvorum.server.agent;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** The local copy. */
final class MirrorOptions {
  @Option(
      names = "--mirror", split = ",", paramLabel = "PREFIX",
      description = "keys that begin so are copied here: their serializable reads and watches are answered from the copy. May be given again; 128 at most")
  private List<String> prefixes = List.of();

  @Option(
      names = "--stale-reads", arity = "0..1", fallbackValue = "true", defaultValue = "false", paramLabel = "BOOL",
      description = "while cut off from the cluster, answer serializable reads of mirrored keys from the copy as it is, marked with the response header kvorum-stale")
  private boolean staleReads;

  @Option(names = "--data-dir", paramLabel = "DIR", description = "where the copy lies; begins empty each time (default: a temporary directory of its own)")
  private Path directory;

  @Option(
      names = "--mirror-max-bytes", paramLabel = "BYTES", defaultValue = "268435456",
      description = "size of the copy, history included; what is larger is not copied (default: ${DEFAULT-VALUE})")
  private long maxBytes;

  @Option(
      names = "--mirror-history", paramLabel = "REVISIONS", defaultValue = "10000",
      description = "how many revisions of mirrored keys stay readable here (default: ${DEFAULT-VALUE})")
  private long history;

  /**
   * What they say.
   *
   * @return null when nothing is to be mirrored
   * @throws IOException when they contradict each other
   */
  MirrorSettings settings() throws IOException {
    if (prefixes.isEmpty()) {
      if (staleReads) {
        throw new IOException("--stale-reads needs --mirror");
      }
      return null;
    }
    if (maxBytes <= 0 || history <= 0) {
      throw new IOException("--mirror-max-bytes and --mirror-history must be above 0");
    }
    return new MirrorSettings(prefixes.stream().map(ByteString::copyFromUtf8).toList(), staleReads, directory, maxBytes, history);
  }
}
