package io.kvorum.server.backup;

import io.kvorum.server.backup.repository.BackupException;
import io.kvorum.server.backup.repository.BackupException.Reason;
import io.kvorum.server.backup.repository.Chain;
import io.kvorum.server.backup.repository.PublishedBackup;
import io.kvorum.server.backup.repository.Repository;
import io.kvorum.server.backup.repository.Target;
import java.io.IOException;
import java.io.PrintStream;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;

/** Which state is to be restored, and from which chain. */
public record Selection(Chain chain, Target target) {
  /**
   * Reads the options.
   *
   * @param id a backup, null for the newest that reaches the target
   * @param revision 0 for none
   * @param time as RFC 3339 writes it, null for none
   * @throws IllegalArgumentException when they do not fit together
   * @throws BackupException {@code NOT_FOUND} with what is covered, {@code DELTA_GAP}
   */
  public static Selection of(Repository repository, String id, boolean latest, long revision, String time, PrintStream err) throws IOException {
    if ((id == null) != latest || revision != 0 && time != null || revision < 0) {
      throw new IllegalArgumentException("one of --id and --latest is needed, and at most one of --revision and --time");
    }
    Target target = revision != 0 ? new Target.AtRevision(revision) : time != null ? new Target.AtTime(instant(time)) : new Target.Latest();
    Repository.Listing listing = repository.backups();
    listing.damaged().forEach((backup, why) -> err.println("warning: backup " + backup + " is left out: " + why));
    if (id != null && listing.damaged().containsKey(id)) {
      repository.backup(id);
    }
    List<PublishedBackup> backups = listing.backups();
    if (id == null) {
      return new Selection(Chain.reaching(backups, target), target);
    }
    Chain chain = Chain.endingAt(backups, id);
    if (!chain.covers(target)) {
      throw new BackupException(Reason.NOT_FOUND, "backup " + id + " with those before it does not reach " + target + "; covered: " + covered(chain));
    }
    return new Selection(chain, target);
  }

  private static String covered(Chain chain) {
    var from = chain.full().manifest().span();
    var to = chain.last().manifest().span();
    return "revisions " + from.fromRevision() + " to " + to.toRevision() + ", " + from.fromTime() + " to " + to.toTime();
  }

  private static Instant instant(String time) {
    try {
      return OffsetDateTime.parse(time).toInstant();
    } catch (DateTimeException e) {
      throw new IllegalArgumentException("--time is not as RFC 3339 writes it (2026-01-31T12:00:00Z): " + time);
    }
  }
}
