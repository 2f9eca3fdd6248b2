package io.kvorum.server.cluster;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/** Peer URLs: what is accepted as one, and when two lists mean the same endpoints. */
public final class PeerUrls {
  private static final Set<String> SCHEMES = Set.of("http", "https", "unix", "unixs");

  private static final String NOT_IN_HOSTS = "?#@%\\^`{|}\u007f";

  private PeerUrls() {}

  /** Turns a host name into an address. */
  @FunctionalInterface
  public interface Resolver {
    Resolver SYSTEM = host -> InetAddress.getByName(host).getHostAddress();

    String address(String host) throws UnknownHostException;
  }

  /**
   * Checks and sorts URLs by etcd's rules: a scheme among http, https, unix and unixs, host and port, no path.
   *
   * @throws IllegalArgumentException when there is none or one is malformed, naming it
   */
  public static List<String> parse(Collection<String> urls) {
    if (urls.isEmpty()) {
      throw new IllegalArgumentException("no valid URLs given");
    }
    List<String> sorted = new ArrayList<>(urls.size());
    for (String url : urls) {
      sorted.add(parse(url).toString());
    }
    sorted.sort(null);
    return List.copyOf(sorted);
  }

  /** One URL, checked. */
  public static Endpoint parse(String text) {
    String url = text.strip();
    int colon = url.indexOf("://");
    String scheme = colon < 0 ? "" : url.substring(0, colon);
    if (!SCHEMES.contains(scheme)) {
      throw new IllegalArgumentException("URL scheme must be http, https, unix, or unixs: " + url);
    }
    String rest = url.substring(colon + 3);
    if (scheme.startsWith("unix")) {
      return new Endpoint(scheme, rest, -1);
    }
    if (rest.indexOf('/') >= 0) {
      throw new IllegalArgumentException("URL must not contain a path: " + url);
    }
    int at = rest.lastIndexOf(':');
    String host = at < 0 ? "" : rest.substring(0, at);
    boolean bracketed = host.startsWith("[") && host.endsWith("]");
    if (at < 0 || (!bracketed && host.indexOf(':') >= 0) || host.chars().anyMatch(c -> c <= ' ' || NOT_IN_HOSTS.indexOf(c) >= 0)) {
      throw new IllegalArgumentException("URL address does not have the form \"host:port\": " + url);
    }
    return new Endpoint(scheme, host, port(rest.substring(at + 1), url));
  }

  private static int port(String digits, String url) {
    if (digits.isEmpty() || digits.length() > 5 || !digits.chars().allMatch(c -> c >= '0' && c <= '9') || Integer.parseInt(digits) > 65_535) {
      throw new IllegalArgumentException("invalid port in URL: " + url);
    }
    return Integer.parseInt(digits);
  }

  /**
   * Whether two lists mean the same endpoints, names resolved (localhost equals 127.0.0.1).
   *
   * @throws UnknownHostException if they differ as text and a name does not resolve
   */
  public static boolean same(Collection<String> left, Collection<String> right, Resolver resolver) throws UnknownHostException {
    List<String> leftSorted = left.stream().sorted().toList();
    List<String> rightSorted = right.stream().sorted().toList();
    if (leftSorted.equals(rightSorted)) {
      return true;
    }
    return left.size() == right.size() && resolved(left, resolver).equals(resolved(right, resolver));
  }

  private static List<String> resolved(Collection<String> urls, Resolver resolver) throws UnknownHostException {
    List<String> addresses = new ArrayList<>(urls.size());
    for (String url : urls) {
      Endpoint endpoint = parse(url);
      String host = endpoint.isUnix() ? endpoint.host() : resolver.address(endpoint.plainHost());
      addresses.add(endpoint.scheme() + "://" + host + ":" + endpoint.port());
    }
    addresses.sort(null);
    return addresses;
  }

  /**
   * One endpoint.
   *
   * @param scheme http, https, unix or unixs
   * @param host name or address (IPv6 in brackets), or the path of a socket
   * @param port 0 to 65535, -1 for a socket file
   */
  public record Endpoint(String scheme, String host, int port) {
    public boolean isUnix() {
      return scheme.startsWith("unix");
    }

    public boolean isTls() {
      return scheme.endsWith("s");
    }

    /** The host without brackets. */
    public String plainHost() {
      return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    @Override
    public String toString() {
      return scheme + "://" + host + (port < 0 ? "" : ":" + port);
    }
  }
}
