package io.kvorum.server.agent;

import io.kvorum.server.config.GoSyntax;
import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Durations as etcdctl takes them: {@code 5s}, {@code 1m30s}; above 0. */
final class GoDuration implements ITypeConverter<Duration> {
  @Override
  public Duration convert(String text) {
    try {
      Duration duration = GoSyntax.duration(text);
      if (duration.isPositive()) {
        return duration;
      }
    } catch (IllegalArgumentException none) {
      // The refusal says it.
    }
    throw new TypeConversionException("'" + text + "' is not a duration above 0, such as 5s");
  }
}
