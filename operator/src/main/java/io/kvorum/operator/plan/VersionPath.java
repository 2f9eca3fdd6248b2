package io.kvorum.operator.plan;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Which version may follow which: any patch of the same minor, and the next minor; never back across a minor, never across a major. */
public final class VersionPath {
  private static final Pattern NUMBERS = Pattern.compile("^(\\d{1,4})\\.(\\d{1,4})\\.(\\d{1,4}).*$");

  private VersionPath() {}

  /**
   * Why the wanted version cannot follow; empty when it can.
   *
   * @param agreed the lowest version that all members ran at the same time last, empty before the first
   */
  public static Optional<String> refusal(String agreed, String wanted) {
    Matcher to = NUMBERS.matcher(wanted);
    if (!to.matches()) {
      return Optional.of("\"" + wanted + "\" is not a version");
    }
    Matcher from = NUMBERS.matcher(agreed);
    if (!from.matches()) {
      return Optional.empty();
    }
    int major = Integer.parseInt(to.group(1)) - Integer.parseInt(from.group(1));
    int minor = Integer.parseInt(to.group(2)) - Integer.parseInt(from.group(2));
    if (major != 0) {
      return Optional.of("from " + agreed + " to " + wanted + " changes the major version");
    }
    if (minor > 1) {
      return Optional.of("from " + agreed + " to " + wanted + " skips a minor version; one at a time");
    }
    return minor < 0 ? Optional.of("from " + agreed + " to " + wanted + " goes back across a minor version") : Optional.empty();
  }
}
