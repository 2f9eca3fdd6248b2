package io.kvorum.operator.workload;

import io.kvorum.operator.api.InjectionSpec;
import io.kvorum.operator.workload.Permission.Access;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Whether a declaration may be followed. One that asks for anything that is not allowed gets nothing at all. */
public sealed interface Verdict {
  /** Most prefixes that one declaration may name. */
  int PREFIXES_MAX = 64;

  /** Longest prefix, in characters. */
  int PREFIX_MAX = 512;

  /** Where services are registered; a workload may always look there. */
  String SERVICES = "services/";

  /** A label of DNS, so that the service has a name there too. */
  Pattern SERVICE = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");

  /** It gets these. */
  record Granted(Set<Permission> permissions) implements Verdict {
    public Granted {
      permissions = Set.copyOf(permissions);
    }
  }

  /** It gets nothing, since. */
  record Refused(String why) implements Verdict {}

  /** By what the cluster that it asks allows. */
  static Verdict of(Declaration asked, InjectionSpec spec) {
    String owner = asked.cluster().namespace();
    String where = "spec.injection of " + asked.cluster();
    if (!spec.enabled()) {
      return new Refused(where + " is switched off");
    }
    if (!spec.admits(owner, asked.namespace())) {
      return new Refused(where + " does not list the namespace " + asked.namespace());
    }
    if (asked.prefixes().size() > PREFIXES_MAX || asked.prefixes().stream().anyMatch(prefix -> prefix.length() > PREFIX_MAX)) {
      return new Refused("more than " + PREFIXES_MAX + " prefixes, or one of more than " + PREFIX_MAX + " characters");
    }
    if (!asked.service().isEmpty() && !SERVICE.matcher(asked.service()).matches()) {
      return new Refused("the service \"" + shown(asked.service()) + "\" is not a lower-case label of DNS");
    }
    Stream<String> service = asked.service().isEmpty() ? Stream.empty() : Stream.of(SERVICES + asked.service() + "/");
    Set<String> written = Stream.concat(asked.prefixes().stream(), service).collect(Collectors.toSet());
    return written.stream()
        .filter(prefix -> !spec.allows(owner, asked.namespace(), prefix))
        .sorted()
        .findFirst()
        .<Verdict>map(prefix -> new Refused(where + " does not allow the prefix " + shown(prefix) + " to the namespace " + asked.namespace()))
        .orElseGet(() -> new Granted(permissions(written)));
  }

  private static Set<Permission> permissions(Set<String> written) {
    Set<Permission> all = written.stream().map(prefix -> Permission.prefix(prefix, Access.READWRITE)).collect(Collectors.toCollection(HashSet::new));
    all.add(Permission.prefix(SERVICES, Access.READ));
    return union(Stream.of(all));
  }

  /** All of several, one permission for each range. */
  static Set<Permission> union(Stream<Set<Permission>> several) {
    Map<Permission, Permission> byRange = new HashMap<>();
    several
        .flatMap(Set::stream)
        .forEach(
            one ->
                byRange.merge(
                    new Permission(one.key(), one.end(), Access.READ), one,
                    (before, after) -> before.access() == after.access() ? before : new Permission(one.key(), one.end(), Access.READWRITE)));
    return Set.copyOf(byRange.values());
  }

  private static String shown(String text) {
    return text.length() > 80 ? text.substring(0, 80) + "..." : text;
  }
}
