package io.kvorum.server.backup.repository;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** As much of S3 as the store uses, in memory and without signatures, with faults on demand. The real one is {@code e2e/backup}'s. */
final class BucketServer implements AutoCloseable {
  private static final String BUCKET = "/bucket";
  private static final DateTimeFormatter HTTP_DATE = DateTimeFormatter.RFC_1123_DATE_TIME.withZone(ZoneOffset.UTC);

  private final HttpServer server;
  private final Map<String, Item> items = new TreeMap<>();
  private final Map<String, Upload> uploads = new HashMap<>();
  private int uploadNumber;

  /** Requests so far: method, path and query. */
  final List<String> requests = new ArrayList<>();

  /** So many of the next requests are answered with {@link #faultStatus}. */
  int faults;

  int faultStatus = 503;

  /** So many of the next downloads break off in the middle. */
  int cuts;

  private record Item(byte[] bytes, Instant modified) {
    String tag() {
      return '"' + HexFormat.of().formatHex(md5(bytes)) + '"';
    }
  }

  private record Upload(String key, Map<Integer, byte[]> parts, Instant initiated) {}

  BucketServer() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::handle);
    server.start();
  }

  URI endpoint() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  synchronized void replace(String key, byte[] bytes) {
    items.put(key, new Item(bytes, Instant.now()));
  }

  private synchronized void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      URI uri = exchange.getRequestURI();
      requests.add(exchange.getRequestMethod() + " " + uri);
      byte[] body = exchange.getRequestBody().readAllBytes();
      if (faults > 0) {
        faults--;
        answer(exchange, faultStatus, "<Error><Code>SlowDown</Code><Message>you said " + exchange.getRequestHeaders().getFirst("Authorization") + "</Message></Error>");
        return;
      }
      String md5 = exchange.getRequestHeaders().getFirst("Content-MD5");
      if (md5 != null && !md5.equals(Base64.getEncoder().encodeToString(md5(body)))) {
        answer(exchange, 400, "<Error><Code>BadDigest</Code></Error>");
        return;
      }
      if (!uri.getPath().startsWith(BUCKET)) {
        answer(exchange, 404, "<Error><Code>NoSuchBucket</Code></Error>");
        return;
      }
      String key = uri.getPath().substring(BUCKET.length()).replaceFirst("^/", "");
      serve(exchange, key, query(uri.getRawQuery()), body);
    }
  }

  private void serve(HttpExchange exchange, String key, Map<String, String> query, byte[] body) throws IOException {
    switch (exchange.getRequestMethod()) {
      case "GET" -> {
        if (query.containsKey("uploads")) {
          listUploads(exchange);
        } else if (key.isEmpty()) {
          list(exchange, query);
        } else {
          download(exchange, key);
        }
      }
      case "HEAD" -> head(exchange, key);
      case "PUT" -> put(exchange, key, query, body);
      case "POST" -> post(exchange, key, query);
      case "DELETE" -> {
        if (query.containsKey("uploadId")) {
          uploads.remove(query.get("uploadId"));
        } else {
          items.remove(key);
        }
        exchange.sendResponseHeaders(204, -1);
      }
      default -> answer(exchange, 405, "");
    }
  }

  private void put(HttpExchange exchange, String key, Map<String, String> query, byte[] body) throws IOException {
    if (query.containsKey("uploadId")) {
      uploads.get(query.get("uploadId")).parts().put(Integer.valueOf(query.get("partNumber")), body);
      exchange.getResponseHeaders().set("ETag", "\"" + HexFormat.of().formatHex(md5(body)) + "\"");
      answer(exchange, 200, "");
    } else {
      items.put(key, new Item(body, Instant.now()));
      exchange.getResponseHeaders().set("ETag", items.get(key).tag());
      answer(exchange, 200, "");
    }
  }

  private void post(HttpExchange exchange, String key, Map<String, String> query) throws IOException {
    if (query.containsKey("uploads")) {
      String id = "upload" + uploadNumber++;
      uploads.put(id, new Upload(key, new TreeMap<>(), Instant.now()));
      answer(exchange, 200, "<InitiateMultipartUploadResult><UploadId>" + id + "</UploadId></InitiateMultipartUploadResult>");
      return;
    }
    Upload upload = uploads.remove(query.get("uploadId"));
    byte[] whole = new byte[upload.parts().values().stream().mapToInt(part -> part.length).sum()];
    int position = 0;
    for (byte[] part : upload.parts().values()) {
      System.arraycopy(part, 0, whole, position, part.length);
      position += part.length;
    }
    items.put(key, new Item(whole, Instant.now()));
    answer(exchange, 200, "<CompleteMultipartUploadResult><Key>" + key + "</Key></CompleteMultipartUploadResult>");
  }

  private void head(HttpExchange exchange, String key) throws IOException {
    Item item = items.get(key);
    if (item == null) {
      exchange.sendResponseHeaders(404, -1);
      return;
    }
    describe(exchange, item);
    exchange.getResponseHeaders().set("Content-Length", Integer.toString(item.bytes().length));
    exchange.sendResponseHeaders(200, -1);
  }

  private void download(HttpExchange exchange, String key) throws IOException {
    Item item = items.get(key);
    if (item == null) {
      answer(exchange, 404, "<Error><Code>NoSuchKey</Code></Error>");
      return;
    }
    String match = exchange.getRequestHeaders().getFirst("If-Match");
    if (match != null && !match.equals(item.tag())) {
      answer(exchange, 412, "<Error><Code>PreconditionFailed</Code></Error>");
      return;
    }
    String range = exchange.getRequestHeaders().getFirst("Range");
    int from = range == null ? 0 : Integer.parseInt(range.replaceAll("bytes=|-", ""));
    int length = item.bytes().length - from;
    describe(exchange, item);
    exchange.sendResponseHeaders(range == null ? 200 : 206, length == 0 ? -1 : length);
    boolean cut = cuts > 0 && length > 1;
    cuts -= cut ? 1 : 0;
    exchange.getResponseBody().write(item.bytes(), from, cut ? length / 2 : length);
    // Closing the exchange before its announced length ends the connection.
  }

  private static void describe(HttpExchange exchange, Item item) {
    exchange.getResponseHeaders().set("ETag", item.tag());
    exchange.getResponseHeaders().set("Last-Modified", HTTP_DATE.format(item.modified()));
  }

  private void list(HttpExchange exchange, Map<String, String> query) throws IOException {
    int limit = 3;
    String after = query.getOrDefault("continuation-token", "");
    List<String> keys = items.keySet().stream().filter(key -> key.startsWith(query.getOrDefault("prefix", "")) && key.compareTo(after) > 0).toList();
    List<String> page = keys.subList(0, Math.min(limit, keys.size()));
    StringBuilder xml = new StringBuilder("<ListBucketResult>");
    for (String key : page) {
      Item item = items.get(key);
      xml.append("<Contents><Key>" + key + "</Key><Size>" + item.bytes().length + "</Size><LastModified>" + item.modified().truncatedTo(ChronoUnit.SECONDS) + "</LastModified></Contents>");
    }
    boolean more = keys.size() > page.size();
    xml.append("<IsTruncated>" + more + "</IsTruncated>" + (more ? "<NextContinuationToken>" + page.getLast() + "</NextContinuationToken>" : "") + "</ListBucketResult>");
    answer(exchange, 200, xml.toString());
  }

  private void listUploads(HttpExchange exchange) throws IOException {
    StringBuilder xml = new StringBuilder("<ListMultipartUploadsResult>");
    uploads.forEach(
        (id, upload) -> xml.append("<Upload><Key>" + upload.key() + "</Key><UploadId>" + id + "</UploadId><Initiated>" + upload.initiated() + "</Initiated></Upload>"));
    answer(exchange, 200, xml + "<IsTruncated>false</IsTruncated></ListMultipartUploadsResult>");
  }

  private static Map<String, String> query(String raw) {
    Map<String, String> query = new HashMap<>();
    for (String pair : raw == null ? new String[0] : raw.split("&")) {
      int equals = pair.indexOf('=');
      query.put(equals < 0 ? pair : pair.substring(0, equals), equals < 0 ? "" : URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8));
    }
    return query;
  }

  private static void answer(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("x-amz-request-id", "request-7");
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    if (bytes.length > 0) {
      exchange.getResponseBody().write(bytes);
    }
  }

  private static byte[] md5(byte[] bytes) {
    try {
      return MessageDigest.getInstance("MD5").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new UncheckedIOException(new IOException(e));
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
