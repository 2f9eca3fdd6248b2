package io.kvorum.operator.plan.rung;

import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.Situation;

/** One rung of the ladder. */
public interface Rung {

  /** Writes into the draft what this rung wants; true when nothing below it may decide in this pass. */
  boolean decide(Situation situation, Draft draft);

  /** Its name as plans carry it. */
  default String name() {
    return getClass().getSimpleName();
  }
}
