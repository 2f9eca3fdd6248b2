package io.kvorum.operator.process;

import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;
import java.security.Security;

/** The operator on Kubernetes. */
@QuarkusMain
public final class Main {
  private static final String POSITIVE = "networkaddress.cache.ttl";
  private static final String NEGATIVE = "networkaddress.cache.negative.ttl";
  private static final String SECOND = "1";

  private Main() {}

  /** {@code check URL} asks an operator whether it is well and ends; without arguments it is one. */
  public static void main(String... args) {
    if (args.length == 2 && args[0].equals("check")) {
      System.exit(Check.run(args[1], System.out) ? 0 : 1);
    }
    // A pod that was made anew has another address, and one that is being made has none yet: neither may be remembered for Java's half minute.
    Security.setProperty(POSITIVE, SECOND);
    Security.setProperty(NEGATIVE, SECOND);
    System.setProperty(POSITIVE, SECOND);
    Quarkus.run(args);
  }
}
