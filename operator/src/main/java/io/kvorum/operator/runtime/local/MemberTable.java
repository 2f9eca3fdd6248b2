package io.kvorum.operator.runtime.local;

import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.status.TextTable;
import io.kvorum.operator.store.StoreAdmin.Endpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** What {@code kvorum up} shows of its members. */
final class MemberTable {
  private MemberTable() {}

  /** One row a member: name, id, role, version, endpoint. */
  static String render(KvorumClusterStatus status, List<Endpoint> endpoints) {
    Map<String, String> urls = endpoints.stream().collect(Collectors.toMap(Endpoint::member, Endpoint::clientUrl));
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("NAME", "ID", "ROLE", "VERSION", "ENDPOINT"));
    for (KvorumClusterStatus.Member member : status.members()) {
      rows.add(
          List.of(
              member.name(), text(member.memberID()), member.role() == null ? "" : member.role().name().toLowerCase(Locale.ROOT),
              text(member.version()), urls.getOrDefault(member.name(), "")));
    }
    return "\n" + TextTable.render(rows) + "\n";
  }

  private static String text(String value) {
    return value == null ? "" : value;
  }

  /** @param flags that etcdctl needs beside the endpoints, each with a space before it */
  static String firstSteps(List<Endpoint> endpoints, String flags) {
    return """
        Try it with any etcd client, for example

          etcdctl --endpoints=%1$s%3$s put hello world
          etcdctl --endpoints=%1$s%3$s get hello

        or from your own program: the endpoints are
          %2$s

        Ctrl-C stops all members; their data stays.

        """
        .formatted(
            String.join(",", endpoints.stream().map(endpoint -> endpoint.clientUrl().replaceFirst("^http://", "")).toList()),
            String.join("\n  ", endpoints.stream().map(Endpoint::clientUrl).toList()), flags);
  }
}
