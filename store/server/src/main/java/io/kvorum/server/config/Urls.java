package io.kvorum.server.config;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnixDomainSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** URLs of members: a scheme, a host and a port, nothing else. */
public final class Urls {
  private Urls() {}

  /**
   * Comma-separated URLs, sorted and without duplicates.
   *
   * @throws IllegalArgumentException with etcd's text
   */
  public static List<String> parse(String text) {
    TreeSet<String> urls = new TreeSet<>();
    for (String part : text.split(",", -1)) {
      urls.add(one(part.strip()));
    }
    return List.copyOf(urls);
  }

  private static String one(String url) {
    URI uri;
    try {
      uri = new URI(url);
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException("parse " + GoSyntax.quote(url) + ": " + e.getReason());
    }
    String scheme = uri.getScheme() == null ? "" : uri.getScheme();
    switch (scheme) {
      case "http", "https" -> {
        String authority = uri.getRawAuthority() == null ? "" : uri.getRawAuthority();
        int colon = authority.lastIndexOf(':');
        boolean bareIp6 = colon >= 0 && authority.indexOf(':') != colon && !authority.contains("]");
        if (colon < 0 || bareIp6 || authority.endsWith("]")) {
          throw new IllegalArgumentException("URL address does not have the form \"host:port\": " + url);
        }
        if (uri.getRawPath() != null && !uri.getRawPath().isEmpty()) {
          throw new IllegalArgumentException("URL must not contain a path: " + url);
        }
      }
      case "unix", "unixs" -> {
        // The address is a path.
      }
      default -> throw new IllegalArgumentException("URL scheme must be http, https, unix, or unixs: " + url);
    }
    return url;
  }

  public static String scheme(String url) {
    return url.substring(0, url.indexOf(':'));
  }

  public static boolean isUnix(String url) {
    return url.startsWith("unix");
  }

  /** Whether connections are to be encrypted. */
  public static boolean isTls(String url) {
    return scheme(url).equals("https") || scheme(url).equals("unixs");
  }

  /** Host of an http URL, without the brackets of an IPv6 address; empty for a Unix socket. */
  public static String host(String url) {
    if (isUnix(url)) {
      return "";
    }
    String authority = url.substring(url.indexOf("://") + 3);
    String host = authority.substring(0, authority.lastIndexOf(':'));
    return host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
  }

  /** Port of an http URL, -1 when it is not a number in range. */
  public static int port(String url) {
    try {
      int port = Integer.parseInt(url.substring(url.lastIndexOf(':') + 1));
      return port >= 0 && port <= 65_535 ? port : -1;
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  /** The address to bind; resolves {@code localhost}, nothing else. Of a Unix socket all behind the scheme is its path, as in etcd. */
  public static SocketAddress bindAddress(String url) {
    return isUnix(url) ? UnixDomainSocketAddress.of(url.substring(url.indexOf("://") + 3)) : new InetSocketAddress(host(url), port(url));
  }

  /** A listening URL as the log shows its address. */
  public static String address(String url) {
    String all = url.substring(url.indexOf("://") + 3);
    return isUnix(url) ? all : host(url) + ":" + port(url);
  }

  /** Whether the host is an IP address, without asking a name server. */
  static boolean isIp(String host) {
    if (host.indexOf(':') >= 0) {
      return host.chars().allMatch(c -> Character.digit(c, 16) >= 0 || c == ':' || c == '.' || c == '%');
    }
    String[] parts = host.split("\\.", -1);
    if (parts.length != 4) {
      return false;
    }
    for (String part : parts) {
      if (part.isEmpty() || part.length() > 3 || !part.chars().allMatch(Character::isDigit) || Integer.parseInt(part) > 255) {
        return false;
      }
    }
    return true;
  }

  /** {@code name=url,name=url2,other=url3} as names in order with their URLs. */
  static java.util.SortedMap<String, List<String>> cluster(String text) {
    java.util.SortedMap<String, List<String>> members = new java.util.TreeMap<>();
    for (String part : text.split(",")) {
      int equals = part.indexOf('=');
      String name = equals < 0 ? part : part.substring(0, equals);
      members.computeIfAbsent(name.strip(), any -> new ArrayList<>()).add(equals < 0 ? "" : part.substring(equals + 1));
    }
    members.replaceAll((name, urls) -> parse(String.join(",", urls)));
    return members;
  }
}
