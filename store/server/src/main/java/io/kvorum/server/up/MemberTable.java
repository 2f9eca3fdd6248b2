package io.kvorum.server.up;

import io.kvorum.protocol.etcdserverpb.StatusResponse;
import io.kvorum.server.up.UpOptions.Place;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What {@code kvorum up} shows. */
final class MemberTable {
  private MemberTable() {}

  /** One row a member: name, id, role, term, revision, endpoint. */
  static String render(Map<Place, StatusResponse> members) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("NAME", "ID", "ROLE", "TERM", "REVISION", "ENDPOINT"));
    members.forEach(
        (place, status) ->
            rows.add(
                List.of(
                    place.name(),
                    Long.toHexString(status.getHeader().getMemberId()),
                    role(status),
                    Long.toUnsignedString(status.getRaftTerm()),
                    Long.toString(status.getHeader().getRevision()),
                    place.clientUrl())));
    int[] width = new int[rows.getFirst().size()];
    rows.forEach(
        row -> {
          for (int i = 0; i < width.length; i++) {
            width[i] = Math.max(width[i], row.get(i).length());
          }
        });
    StringBuilder text = new StringBuilder("\n");
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < width.length; i++) {
        line.append(row.get(i)).repeat(' ', width[i] - row.get(i).length() + 2);
      }
      text.append(line.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }

  private static String role(StatusResponse status) {
    if (status.getIsLearner()) {
      return "learner";
    }
    return status.getLeader() == status.getHeader().getMemberId() ? "leader" : "follower";
  }

  static String firstSteps(List<Place> places) {
    String endpoints = String.join(",", places.stream().map(place -> "127.0.0.1:" + place.clientPort()).toList());
    return """

        Try it with any etcd client, for example

          etcdctl --endpoints=%1$s put hello world
          etcdctl --endpoints=%1$s get hello

        or from your own program: the endpoints are
          %2$s

        Ctrl-C stops all members; their data stays.
        """
        .formatted(endpoints, String.join("\n  ", places.stream().map(Place::clientUrl).toList()));
  }
}
