package io.kvorum.server.config;

import java.util.Locale;

/**
 * One flag of the command line: name, value, and what it does here.
 *
 * @param name without dashes
 * @param kind syntax of its value
 * @param defaultValue as text; a text of the help only where the real default is derived from other flags
 * @param section heading in the help
 * @param effect what giving it does
 * @param replacement the flag of which this one is a deprecated name, null for none; a name with a capital letter is a feature gate
 * @param help one sentence
 */
public record Flag(String name, Kind kind, String defaultValue, Section section, Effect effect, String replacement, String help) {
  /** Syntax of values; the errors are those of Go's flag package, which etcd uses. */
  public enum Kind {
    STRING,
    BOOL,
    INT,
    UINT,
    UINT32,
    DURATION,
    /** Comma-separated URLs with scheme, host and port. */
    URLS,
    /** URLs or {@code *}. */
    ORIGINS,
    /** Comma-separated. */
    STRINGS,
    /** {@code new} or {@code existing}. */
    CLUSTER_STATE,
    /** {@code exit} or {@code proxy}. */
    FALLBACK,
    /** {@code Name=true,Other=false}. */
    GATES,
    /** Of old releases: any value or none. */
    IGNORED
  }

  /** Headings of the help. */
  public enum Section {
    MEMBER("Member"),
    CLUSTERING("Clustering"),
    SECURITY("Security"),
    AUTH("Auth"),
    MONITORING("Profiling and Monitoring"),
    LOGGING("Logging"),
    TRACING("Distributed tracing"),
    FEATURES("Features"),
    UNSAFE("Unsafe feature"),
    HIDDEN("");

    final String title;

    Section(String title) {
      this.title = title;
    }
  }

  /** What a flag does in this version. */
  public enum Effect {
    /** It works as documented. */
    ACTIVE,
    /** Accepted because it tunes a mechanism that does not exist here. */
    NO_EFFECT,
    /** A promise that this version cannot keep: giving it refuses the start. */
    NOT_SUPPORTED_YET
  }

  /** The environment variable: ETCD_ and the name in capitals, dashes as underscores. */
  public String environment() {
    return "ETCD_" + name.toUpperCase(Locale.ROOT).replace('-', '_');
  }

  boolean isGate() {
    return replacement != null && Character.isUpperCase(replacement.charAt(0));
  }

  boolean mayBeBare() {
    return kind == Kind.BOOL || kind == Kind.IGNORED;
  }
}
