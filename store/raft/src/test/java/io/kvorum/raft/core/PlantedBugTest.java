package io.kvorum.raft.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Wrong rules, each of which the simulator or a script must notice: a check that never fails proves nothing. */
class PlantedBugTest {
  private static final long EVENTS_PER_SEED = 20_000;

  /** Votes for logs that are behind. */
  private static final Rules VOTES_FOR_STALE_LOGS =
      new Rules() {
        @Override
        boolean grantsVote(long vote, long leader, long candidate, boolean upToDate) {
          return super.grantsVote(vote, leader, candidate, true);
        }
      };

  private static final Rules VOTES_TWICE =
      new Rules() {
        @Override
        boolean grantsVote(long vote, long leader, long candidate, boolean upToDate) {
          return upToDate;
        }
      };

  private static final Rules ACKNOWLEDGES_BEFORE_SYNC =
      new Rules() {
        @Override
        boolean promisesWaitForDisk() {
          return false;
        }
      };

  private static final Rules READS_WITHOUT_QUORUM =
      new Rules() {
        @Override
        boolean readsAskQuorum() {
          return false;
        }
      };

  private static final Rules CHANGES_WITHOUT_OWN_TERM =
      new Rules() {
        @Override
        boolean changesWaitForOwnTerm() {
          return false;
        }
      };

  private static final Rules COMMITS_OLD_TERMS =
      new Rules() {
        @Override
        boolean countsOwnTermOnly() {
          return false;
        }
      };

  @Test
  void aVoteForALogThatIsBehindIsCaught() {
    assertThat(violation(VOTES_FOR_STALE_LOGS, 50)).contains("leader completeness");
  }

  @Test
  void twoVotesInOneTermAreCaught() {
    assertThat(violation(VOTES_TWICE, 100)).contains("election safety");
  }

  @Test
  void anAcknowledgementBeforeTheSyncIsCaught() {
    assertThat(violation(ACKNOWLEDGES_BEFORE_SYNC, 50)).containsAnyOf("leader completeness", "state machine safety", "beyond the last index");
  }

  @Test
  void aReadWithoutAskingAQuorumIsCaught() {
    assertThat(violation(READS_WITHOUT_QUORUM, 200)).contains("linearizable read");
  }

  @Test
  void aChangeWithoutACommitInTheTermIsCaught() {
    assertThat(violation(CHANGES_WITHOUT_OWN_TERM, 50)).contains("entered the log before");
  }

  @Test
  void aChangeWithoutACommitInTheTermSplitsTheCluster() throws IOException, URISyntaxException {
    assertThat(diverges("two-changes-at-once.txt", CHANGES_WITHOUT_OWN_TERM)).isTrue();
    assertThat(diverges("two-changes-at-once.txt", Rules.RAFT)).isFalse();
  }

  @Test
  void committingAnOldTermByCountingLosesAnEntry() throws IOException, URISyntaxException {
    assertThat(diverges("figure-8.txt", COMMITS_OLD_TERMS)).isTrue();
    assertThat(diverges("figure-8.txt", Rules.RAFT)).isFalse();
  }

  /** What the simulator reports within so many seeds. */
  private static String violation(Rules rules, int seeds) {
    for (long seed = 1; seed <= seeds; seed++) {
      try {
        new Simulation(seed, EVENTS_PER_SEED, rules).run();
      } catch (Checker.Violation | IllegalStateException e) {
        return e.getMessage();
      }
    }
    return fail("nothing noticed in " + seeds + " seeds");
  }

  private static boolean diverges(String scenario, Rules rules) throws IOException, URISyntaxException {
    Script script = new Script(rules);
    script.run(Files.readAllLines(Path.of(PlantedBugTest.class.getResource("scripts/" + scenario).toURI())));
    return script.diverged();
  }
}
