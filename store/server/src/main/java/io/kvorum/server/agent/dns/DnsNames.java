package io.kvorum.server.agent.dns;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Names of the domain name system. */
final class DnsNames {
  /** One less than a label may have: SRV questions put an underscore in front. */
  private static final int LABEL_MAX = 62;

  private static final int NAME_MAX = 253;
  /** So that a service and an instance always fit in front. */
  private static final int DOMAIN_MAX = 120;

  private static final Pattern LABEL = Pattern.compile("[a-z0-9]([a-z0-9_-]*[a-z0-9])?");
  private static final Pattern HOST = Pattern.compile("[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\\.?");

  private DnsNames() {}

  /** Whether a service or instance can be asked for by this name, which is in lower case. */
  static boolean isLabel(String name) {
    return name.length() <= LABEL_MAX && LABEL.matcher(name).matches();
  }

  /** Whether a SRV record may point there. A name of digits and dots alone is none: it is a bad address. */
  static boolean isHostName(String name) {
    return name.length() <= NAME_MAX && HOST.matcher(name).matches() && name.chars().anyMatch(Character::isLetter);
  }

  /** Labels in lower case; the root has none. */
  static List<String> labels(String name) {
    String relative = name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    return relative.isEmpty() ? List.of() : List.of(relative.toLowerCase(Locale.ROOT).split("\\.", -1));
  }

  /**
   * The domain of an option, in lower case and with a dot at its end.
   *
   * @throws IllegalArgumentException when it is none
   */
  static String domain(String text) {
    List<String> labels = labels(text);
    if (labels.isEmpty() || text.length() > DOMAIN_MAX || !labels.stream().allMatch(DnsNames::isLabel)) {
      throw new IllegalArgumentException("--dns-domain=" + text + " is no domain name of at most " + DOMAIN_MAX + " characters");
    }
    return String.join(".", labels) + ".";
  }

  /** The name as messages carry it, without compression. */
  static byte[] wire(String name) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(name.length() + 2);
    for (String label : labels(name)) {
      byte[] bytes = label.getBytes(StandardCharsets.US_ASCII);
      out.write(bytes.length);
      out.writeBytes(bytes);
    }
    out.write(0);
    return out.toByteArray();
  }
}
