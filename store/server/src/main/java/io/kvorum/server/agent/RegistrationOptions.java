package io.kvorum.server.agent;

import io.kvorum.server.agent.registration.Deregister;
import io.kvorum.server.agent.registration.Endpoint;
import io.kvorum.server.agent.registration.RegistrationSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** Under what name this pod is found. */
final class RegistrationOptions {
  private static final int PORT_MAX = 65_535;

  @Option(names = "--register", paramLabel = "NAME", description = "service that this pod is an instance of (default: it is not registered)")
  private String service;

  @Option(names = "--register-address", paramLabel = "HOST:PORT", description = "where the application is reached")
  private String address;

  @Option(names = "--register-port", paramLabel = "PORT", description = "the same, with the pod's address from $POD_IP")
  private Integer port;

  @Option(names = "--register-name", paramLabel = "POD", description = "name of the instance (default: $POD_NAME)")
  private String instance;

  @Option(
      names = "--register-prefix", paramLabel = "PREFIX", defaultValue = "services/",
      description = "of the keys of services, for DNS too: PREFIX/NAME/POD (default: ${DEFAULT-VALUE})")
  private String prefix;

  @Option(names = "--register-ttl", paramLabel = "SECONDS", defaultValue = "10", description = "how long the entry of a pod that died stays (default: ${DEFAULT-VALUE})")
  private long ttlSeconds;

  @Option(names = "--register-metadata", paramLabel = "KEY=VALUE", split = ",", description = "about the instance, such as weight=5,zone=a,version=1.2; empty values are left out")
  private Map<String, String> metadata = new LinkedHashMap<>();

  @Option(
      names = "--readiness", paramLabel = "PROBE",
      description = {
        "what says whether the application is ready: http://ADDRESS:PORT/PATH, tcp://ADDRESS:PORT, grpc://ADDRESS:PORT[/SERVICE] or none",
        "(default: tcp at the registered address, none when that is a name)"
      })
  private String readiness;

  @Option(names = "--readiness-period", paramLabel = "TIME", defaultValue = "1s", converter = GoDuration.class, description = "between two questions (default: ${DEFAULT-VALUE})")
  private Duration period;

  @Option(names = "--control-socket", paramLabel = "FILE", description = "unix socket for `agent deregister` (default: kvorum-agent.sock in the folder for temporary files)")
  private String controlSocket;

  String prefix() {
    return prefix;
  }

  Path controlSocket() {
    return Deregister.place(controlSocket);
  }

  /**
   * What they say.
   *
   * @param environment has POD_IP and POD_NAME
   * @return null when nothing is to be registered
   * @throws IOException for what is missing or wrong
   */
  RegistrationSettings settings(Map<String, String> environment) throws IOException {
    if (service == null) {
      if (address != null || port != null || instance != null) {
        throw new IOException("--register: the name of the service is missing");
      }
      return null;
    }
    String where = where(environment);
    String name = instance == null ? environment.getOrDefault("POD_NAME", "") : instance;
    if (name.isEmpty()) {
      throw new IOException("--register needs --register-name, or the name of the pod in $POD_NAME");
    }
    // Of a pod without a label for it: zone=.
    metadata.values().removeIf(String::isEmpty);
    try {
      return new RegistrationSettings(prefix, service, name, new Endpoint(where, metadata), ttlSeconds, readiness == null ? readinessAt(where) : readiness, period);
    } catch (IllegalArgumentException wrong) {
      throw new IOException(wrong.getMessage(), wrong);
    }
  }

  private String where(Map<String, String> environment) throws IOException {
    if ((address == null) == (port == null)) {
      throw new IOException("--register needs either --register-address or --register-port");
    }
    if (address != null) {
      int colon = address.lastIndexOf(':');
      if (colon <= 0 || !isPort(address.substring(colon + 1)) || (address.indexOf(':') != colon && !(address.startsWith("[") && address.charAt(colon - 1) == ']'))) {
        throw new IOException("--register-address=" + address + " is not HOST:PORT");
      }
      return address;
    }
    String ip = environment.getOrDefault("POD_IP", "");
    if (ip.isEmpty()) {
      throw new IOException("--register-port needs the pod's address in $POD_IP");
    }
    if (port < 1 || port > PORT_MAX) {
      throw new IOException("--register-port=" + port + " is not a port from 1 to " + PORT_MAX);
    }
    return (ip.indexOf(':') >= 0 ? "[" + ip + "]" : ip) + ":" + port;
  }

  private static boolean isPort(String text) {
    return text.matches("[1-9][0-9]{0,4}") && Integer.parseInt(text) <= PORT_MAX;
  }

  private static String readinessAt(String where) {
    String host = where.substring(0, where.lastIndexOf(':'));
    try {
      InetAddress.ofLiteral(host.startsWith("[") ? host.substring(1, host.length() - 1) : host);
      return "tcp://" + where;
    } catch (IllegalArgumentException name) {
      return "none";
    }
  }
}
