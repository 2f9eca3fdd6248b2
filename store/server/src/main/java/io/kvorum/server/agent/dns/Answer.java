package io.kvorum.server.agent.dns;

import java.util.ArrayList;
import java.util.List;

/**
 * What a question is answered with.
 *
 * @param code response code
 * @param authoritative whether the name is in the zone
 * @param additional addresses of targets, which may be left out
 */
record Answer(int code, boolean authoritative, boolean truncated, List<Resource> answers, List<Resource> authority, List<Resource> additional) {
  static final int NO_ERROR = 0;
  static final int FORMAT_ERROR = 1;
  static final int SERVER_FAILURE = 2;
  static final int NAME_ERROR = 3;
  static final int NOT_IMPLEMENTED = 4;
  static final int REFUSED = 5;
  static final int BAD_VERSION = 16;

  static Answer failure(int code) {
    return new Answer(code, false, false, List.of(), List.of(), List.of());
  }

  /**
   * As much of it as fits: first targets' addresses are left out, which a client asks for then; when answers are, the message says that it is truncated.
   *
   * @param bytes room behind the question, without what EDNS takes
   */
  Answer fitting(int bytes) {
    int left = bytes;
    List<Resource> fittingAnswers = new ArrayList<>();
    for (Resource answer : answers) {
      if (answer.size() > left) {
        return new Answer(code, authoritative, true, List.copyOf(fittingAnswers), List.of(), List.of());
      }
      left -= answer.size();
      fittingAnswers.add(answer);
    }
    int ofAuthority = authority.stream().mapToInt(Resource::size).sum();
    if (ofAuthority > left) {
      return new Answer(code, authoritative, true, answers, List.of(), List.of());
    }
    left -= ofAuthority;
    List<Resource> fittingAdditional = new ArrayList<>();
    for (Resource more : additional) {
      left -= more.size();
      if (left < 0) {
        break;
      }
      fittingAdditional.add(more);
    }
    return new Answer(code, authoritative, false, answers, authority, List.copyOf(fittingAdditional));
  }
}
