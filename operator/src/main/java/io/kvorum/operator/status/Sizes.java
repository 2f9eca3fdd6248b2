package io.kvorum.operator.status;

import java.util.Locale;

/** Sizes as statuses show them. */
public final class Sizes {
  private static final String[] UNITS = {"", "Ki", "Mi", "Gi", "Ti", "Pi"};

  private Sizes() {}

  /** Two significant digits and a binary unit, e.g. "310Mi". */
  public static String text(long bytes) {
    long rounded = coarse(bytes);
    double value = rounded;
    int unit = 0;
    while (value >= 1024 && unit < UNITS.length - 1) {
      value /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, value < 10 && unit > 0 ? "%.1f%s" : "%.0f%s", value, UNITS[unit]);
  }

  /** The number with its two leading digits kept. */
  public static long coarse(long bytes) {
    long unit = 1;
    while (bytes / unit >= 100) {
      unit *= 10;
    }
    return bytes / unit * unit;
  }
}
