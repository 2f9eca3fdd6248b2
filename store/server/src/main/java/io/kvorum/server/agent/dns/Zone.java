package io.kvorum.server.agent.dns;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * The zone of the registered services. Pure but for the order of the answers, which is another each time, so that clients that take the first one spread.
 *
 * <pre>
 * SERVICE.DOMAIN            A, AAAA   addresses of all instances
 *                           SRV       all instances, with targets INSTANCE.SERVICE.DOMAIN and their addresses
 * _SERVICE._tcp.DOMAIN      SRV       the same
 * INSTANCE.SERVICE.DOMAIN   A, AAAA   addresses of one instance
 * DOMAIN                    SOA, NS
 * </pre>
 *
 * An instance whose name is no label has {@code ip-} and its address in hexadecimal digits instead. One that registered a host name is a target of SRV by that name and has no address here.
 * Services whose names are no labels cannot be asked for.
 */
final class Zone {
  private static final String TCP = "_tcp";

  private final String domain;
  private final List<String> domainLabels;
  private final ServiceTable table;
  private final Random random;

  /**
   * @param domain as {@link DnsNames#domain} makes it
   * @param random orders answers
   */
  Zone(String domain, ServiceTable table, Random random) {
    this.domain = domain;
    this.domainLabels = DnsNames.labels(domain);
    this.table = table;
    this.random = random;
  }

  /**
   * Answers a question of class IN.
   *
   * @param name in any case
   * @param type number of the type
   */
  Answer answer(String name, int type) {
    List<String> labels = DnsNames.labels(name);
    int inside = labels.size() - domainLabels.size();
    if (inside < 0 || !labels.subList(inside, labels.size()).equals(domainLabels)) {
      return Answer.failure(Answer.REFUSED);
    }
    if (!table.isKnown()) {
      return Answer.failure(Answer.SERVER_FAILURE);
    }
    return switch (inside) {
      case 0 -> apex(type);
      case 1 -> labels.getFirst().equals(TCP) ? empty(Answer.NO_ERROR) : service(labels.getFirst(), type, true);
      case 2 -> labels.get(1).equals(TCP) ? underscored(labels.getFirst(), type) : instance(labels.get(1), labels.getFirst(), type);
      default -> empty(Answer.NAME_ERROR);
    };
  }

  private Answer apex(int type) {
    return switch (type) {
      case Resource.SOA, Resource.ANY -> found(List.of(Resource.authority(domain, table.serial())), List.of());
      case Resource.NS -> found(List.of(Resource.nameServer(domain)), List.of());
      default -> empty(Answer.NO_ERROR);
    };
  }

  private Answer underscored(String label, int type) {
    return label.startsWith("_") ? service(label.substring(1), type, false) : empty(Answer.NAME_ERROR);
  }

  private Answer service(String service, int type, boolean withAddresses) {
    List<ServiceInstance> instances = table.instances(service);
    if (instances.isEmpty()) {
      return empty(Answer.NAME_ERROR);
    }
    List<ServiceInstance> shuffled = new ArrayList<>(instances);
    Collections.shuffle(shuffled, random);
    List<Resource> answers = new ArrayList<>();
    List<Resource> additional = new ArrayList<>();
    if (withAddresses) {
      addresses(shuffled, type, answers);
    }
    if (type == Resource.SRV || type == Resource.ANY) {
      targets(service, shuffled, answers, additional);
    }
    return answers.isEmpty() ? empty(Answer.NO_ERROR) : found(answers, additional);
  }

  private Answer instance(String service, String label, int type) {
    List<ServiceInstance> named = table.instances(service).stream().filter(instance -> instance.name().equals(label)).toList();
    if (named.isEmpty()) {
      named = table.instances(service).stream().filter(instance -> instance.addressLabel().equals(label)).toList();
    }
    if (named.isEmpty()) {
      return empty(Answer.NAME_ERROR);
    }
    List<Resource> answers = new ArrayList<>();
    addresses(named, type, answers);
    return answers.isEmpty() ? empty(Answer.NO_ERROR) : found(answers, List.of());
  }

  /** Each address once, also when several instances share it. */
  private static void addresses(List<ServiceInstance> instances, int type, List<Resource> answers) {
    instances.stream()
        .flatMap(instance -> instance.address().stream())
        .distinct()
        .map(address -> Resource.address(Resource.OF_QUESTION, address))
        .filter(record -> type == Resource.ANY || record.type() == type)
        .forEach(answers::add);
  }

  private void targets(String service, List<ServiceInstance> instances, List<Resource> answers, List<Resource> additional) {
    record Glue(String target, InetAddress address) {}
    List<Glue> glue = new ArrayList<>();
    for (ServiceInstance instance : instances) {
      if (instance.port() == 0) {
        continue;
      }
      String target = instance.address().isPresent() ? instance.label() + "." + service + "." + domain : absolute(instance.host());
      answers.add(Resource.service(instance, target));
      instance.address().map(address -> new Glue(target, address)).ifPresent(glue::add);
    }
    glue.stream().distinct().map(known -> Resource.address(known.target, known.address)).forEach(additional::add);
  }

  private static String absolute(String host) {
    return host.endsWith(".") ? host : host + ".";
  }

  private static Answer found(List<Resource> answers, List<Resource> additional) {
    return new Answer(Answer.NO_ERROR, true, false, List.copyOf(answers), List.of(), List.copyOf(additional));
  }

  private Answer empty(int code) {
    return new Answer(code, true, false, List.of(), List.of(Resource.authority(domain, table.serial())), List.of());
  }
}
