package io.kvorum.operator.inject;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.fabric8.kubernetes.api.model.ResourceRequirementsBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.kvorum.operator.workload.Declaration;
import io.kvorum.operator.workload.Verdict;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/** Reads what one pod asks for. */
public final class Wishes {
  /** The agent's port when none is asked for. */
  public static final int DEFAULT_PORT = 2379;

  private static final int MIN_PORT = 1024;
  private static final int MAX_PORT = 65_535;
  private static final int MAX_DRAIN = 3_600;
  private static final int MAX_ENTRIES = 64;
  private static final Pattern PORT_NAME = Pattern.compile("[0-9]{1,5}|[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?");
  private static final Pattern METADATA_KEY = Pattern.compile("[A-Za-z0-9]([-A-Za-z0-9_.]{0,62})");
  private static final Pattern READINESS = Pattern.compile("none|(http|tcp|grpc)://(127\\.0\\.0\\.1|localhost|\\[::1]):[0-9]{1,5}(/[!-~]{0,1024})?");
  private static final Pattern QUANTITY = Pattern.compile("[0-9]{1,15}(\\.[0-9]{1,9})?(m|[kMGTPE]|[KMGTPE]i)?");
  private static final List<String> RESOURCES = List.of("cpu", "memory", "ephemeral-storage");
  private static final Quantity DEFAULT_CPU = new Quantity("50m");
  private static final Quantity DEFAULT_MEMORY = new Quantity("192Mi");
  private static final Quantity DEFAULT_MEMORY_LIMIT = new Quantity("512Mi");

  private final Map<String, String> annotations;
  private final List<String> problems = new ArrayList<>();

  private Wishes(Map<String, String> annotations) {
    this.annotations = annotations;
  }

  /**
   * What was read.
   *
   * @param wish whole even with problems: what could not be read has its default
   * @param problems what is wrong with the annotations, one text each
   */
  public record Reading(Wish wish, List<String> problems) {}

  /**
   * Reads a pod.
   *
   * @param namespace of the pod, which under admission may not carry it itself
   * @return empty for a pod that asks for nothing
   */
  public static Optional<Reading> read(Pod pod, String namespace) {
    return Declaration.of(pod.getMetadata(), namespace).map(declaration -> {
      Map<String, String> annotations = pod.getMetadata().getAnnotations();
      Wishes reader = new Wishes(annotations == null ? Map.of() : annotations);
      Wish wish = reader.wish(declaration);
      return new Reading(wish, List.copyOf(reader.problems));
    });
  }

  private Wish wish(Declaration declaration) {
    List<String> mirror = mirror(declaration);
    int port = number(Annotations.PORT, MIN_PORT, MAX_PORT).orElse(DEFAULT_PORT);
    boolean staleReads = flag(Annotations.STALE_READS);
    if (staleReads && mirror.isEmpty()) {
      problems.add(Annotations.STALE_READS + " needs a mirrored prefix");
    }
    return new Wish(declaration, mirror, port, resources(), staleReads, number(Annotations.DNS_PORT, 1, MAX_PORT), registration(declaration));
  }

  private Optional<Wish.Registration> registration(Declaration declaration) {
    if (declaration.service().isEmpty()) {
      annotations.keySet().stream()
          .filter(name -> name.startsWith(Declaration.REGISTER + "-"))
          .sorted()
          .forEach(name -> problems.add(name + " needs " + Declaration.REGISTER));
      return Optional.empty();
    }
    return Optional.of(
        new Wish.Registration(
            text(Annotations.REGISTER_PORT, PORT_NAME), metadata(), text(Annotations.REGISTER_READINESS, READINESS), number(Annotations.DRAIN_SECONDS, 0, MAX_DRAIN)));
  }

  /** What its user can read: an agent whose copy is refused serves nothing of it. */
  private List<String> mirror(Declaration declaration) {
    String value = annotations.get(Annotations.MIRROR);
    if (value == null) {
      return declaration.prefixes().stream().sorted().toList();
    }
    List<String> mirror = entries(Annotations.MIRROR, value).stream().distinct().toList();
    for (String prefix : mirror) {
      boolean readable = prefix.startsWith(Verdict.SERVICES) || declaration.prefixes().stream().anyMatch(prefix::startsWith);
      if (prefix.isEmpty() || !readable) {
        problems.add(Annotations.MIRROR + ": \"" + prefix + "\" is not part of " + Declaration.PREFIXES + " or " + Verdict.SERVICES);
      }
    }
    return mirror;
  }

  /** Empty when absent. */
  private String text(String name, Pattern form) {
    String value = annotations.getOrDefault(name, "").strip();
    if (!value.isEmpty() && !form.matcher(value).matches()) {
      problems.add(name + " cannot be \"" + value + "\"");
      return "";
    }
    return value;
  }

  private OptionalInt number(String name, int min, int max) {
    String value = annotations.get(name);
    if (value == null) {
      return OptionalInt.empty();
    }
    if (value.strip().matches("[0-9]{1,9}")) {
      int number = Integer.parseInt(value.strip());
      if (number >= min && number <= max) {
        return OptionalInt.of(number);
      }
    }
    problems.add(name + " is a number from " + min + " to " + max + ", not \"" + value + "\"");
    return OptionalInt.empty();
  }

  private boolean flag(String name) {
    String value = annotations.getOrDefault(name, "false").strip();
    if (!value.equals("true") && !value.equals("false")) {
      problems.add(name + " is true or false, not \"" + value + "\"");
    }
    return value.equals("true");
  }

  private Map<String, String> metadata() {
    Map<String, String> metadata = new LinkedHashMap<>();
    for (String part : entries(Annotations.REGISTER_METADATA, annotations.getOrDefault(Annotations.REGISTER_METADATA, ""))) {
      int equals = part.indexOf('=');
      if (equals < 0 || !METADATA_KEY.matcher(part.substring(0, equals)).matches()) {
        problems.add(Annotations.REGISTER_METADATA + ": \"" + part + "\" is not KEY=VALUE");
      } else {
        metadata.put(part.substring(0, equals), part.substring(equals + 1));
      }
    }
    return metadata;
  }

  /** Parts between commas without the blanks around them; none of an empty text. */
  private List<String> entries(String name, String value) {
    if (value.isBlank()) {
      return List.of();
    }
    List<String> parts = List.of(value.split(",", -1)).stream().map(String::strip).toList();
    if (parts.size() > MAX_ENTRIES) {
      problems.add(name + " has more than " + MAX_ENTRIES + " entries");
      return List.of();
    }
    return parts;
  }

  private ResourceRequirements resources() {
    String value = annotations.getOrDefault(Annotations.RESOURCES, "").strip();
    try {
      if (value.startsWith("{")) {
        return checked(Serialization.unmarshal(value, ResourceRequirements.class));
      }
      Map<String, Quantity> requests = new LinkedHashMap<>(Map.of("cpu", DEFAULT_CPU, "memory", DEFAULT_MEMORY));
      Map<String, Quantity> limits = new LinkedHashMap<>(Map.of("memory", DEFAULT_MEMORY_LIMIT));
      for (String part : entries(Annotations.RESOURCES, value)) {
        String[] sides = part.split("=", 2);
        if (sides.length != 2 || !requests.containsKey(sides[0])) {
          throw new IllegalArgumentException(part);
        }
        requests.put(sides[0], Quantity.parse(sides[1]));
        limits.computeIfPresent(sides[0], (resource, before) -> Quantity.parse(sides[1]));
      }
      return checked(new ResourceRequirementsBuilder().withRequests(requests).withLimits(limits).build());
    } catch (RuntimeException e) { // of several kinds, for what no parser can read
      problems.add(Annotations.RESOURCES + " is a ResourceRequirements in JSON or cpu=QUANTITY,memory=QUANTITY, not \"" + value + "\"");
      return new ResourceRequirements();
    }
  }

  /** What the API server would refuse would keep the whole pod from being made: strange resources and amounts, requests above their limits. */
  private static ResourceRequirements checked(ResourceRequirements wanted) {
    Map<String, Quantity> requests = wanted.getRequests() == null ? Map.of() : wanted.getRequests();
    Map<String, Quantity> limits = wanted.getLimits() == null ? Map.of() : wanted.getLimits();
    limits.forEach(Wishes::amount);
    for (Map.Entry<String, Quantity> request : requests.entrySet()) {
      BigDecimal amount = amount(request.getKey(), request.getValue());
      Quantity limit = limits.get(request.getKey());
      if (limit != null && amount.compareTo(limit.getNumericalAmount()) > 0) {
        throw new IllegalArgumentException("more than the limit");
      }
    }
    if (!wanted.getAdditionalProperties().isEmpty()) {
      throw new IllegalArgumentException("unknown fields");
    }
    return new ResourceRequirementsBuilder().withRequests(requests).withLimits(limits).build();
  }

  private static BigDecimal amount(String resource, Quantity quantity) {
    // Before it is computed: an exponent could stand for more digits than there is memory.
    if (!RESOURCES.contains(resource) || !QUANTITY.matcher(quantity.toString()).matches()) {
      throw new IllegalArgumentException(resource);
    }
    return quantity.getNumericalAmount();
  }
}
