package io.kvorum.operator.plan.procedure;

import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.Situation;

/**
 * Something that takes several passes. All that it must remember is in the {@link CurrentAction}, which is written before each of its steps; so
 * whoever reads it
 * after a crash goes on, and a step that was carried out already is seen in the situation.
 */
public interface Procedure {

  /** Does the next step, or waits: sets at most one action, and the current action as it is from now on. */
  void advance(Situation situation, CurrentAction action, Draft draft);
}
