package io.kvorum.operator.inject;

import java.util.List;

/** What becomes of a pod that asks for an agent. Whatever it is, the pod is admitted. */
public sealed interface Outcome {

  /**
   * The pod gets its agent.
   *
   * @param patch JSON Patch (RFC 6902) of the pod
   * @param warnings what the user should know
   */
  record Patched(List<Operation> patch, List<String> warnings) implements Outcome {}

  /** The pod has an agent already and stays as it is. */
  record Present() implements Outcome {}

  /**
   * The pod stays without an agent.
   *
   * @param reasons everything that stands against it, at least one
   */
  record Refused(List<String> reasons) implements Outcome {}

  /**
   * One operation of a patch; all of them add.
   *
   * @param path JSON Pointer
   * @param value an object of the Kubernetes model, a list or a text
   */
  record Operation(String op, String path, Object value) {
    static Operation add(String path, Object value) {
      return new Operation("add", path, value);
    }
  }
}
