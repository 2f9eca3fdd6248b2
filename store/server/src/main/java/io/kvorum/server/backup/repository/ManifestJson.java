package io.kvorum.server.backup.repository;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.kvorum.server.backup.repository.BackupManifest.ContentHash;
import io.kvorum.server.backup.repository.BackupManifest.LogChunk;
import io.kvorum.server.backup.repository.BackupManifest.Previous;
import io.kvorum.server.backup.repository.BackupManifest.Segment;
import io.kvorum.server.backup.repository.BackupManifest.Source;
import io.kvorum.server.backup.repository.BackupManifest.Span;
import io.kvorum.server.backup.repository.BackupManifest.State;
import io.kvorum.server.backup.repository.BackupManifest.Type;
import io.kvorum.server.backup.repository.JsonFields.MalformedException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A manifest as JSON. The same manifest gives the same bytes. Unknown fields are refused; a writer that needs one writes a higher format version.
 */
final class ManifestJson {
  static final int FORMAT_VERSION = 1;

  private static final Map<String, Type> TYPES = Stream.of(Type.values()).collect(Collectors.toMap(Type::word, Function.identity()));

  private ManifestJson() {}

  /**
   * A manifest with what protects it.
   *
   * @param mac of the manifest without it, hexadecimal; in encrypted repositories only
   */
  record Document(BackupManifest manifest, Optional<String> mac) {}

  static byte[] encode(BackupManifest manifest, Optional<String> mac) {
    JsonObject json = new JsonObject();
    json.addProperty("formatVersion", FORMAT_VERSION);
    json.addProperty("id", manifest.id());
    json.addProperty("type", manifest.type().word());
    json.add("source", source(manifest.source()));
    json.addProperty("startedAt", manifest.startedAt().toString());
    json.addProperty("completedAt", manifest.completedAt().toString());
    json.add("span", span(manifest.span()));
    json.add("contentHash", contentHash(manifest.contentHash()));
    manifest.previous().ifPresent(previous -> json.add("previous", previous(previous)));
    json.add("segments", list(manifest.segments(), ManifestJson::segment));
    json.add("log", list(manifest.log(), ManifestJson::chunk));
    manifest.state().ifPresent(state -> json.add("state", state(state)));
    json.addProperty("bytes", manifest.bytes());
    json.addProperty("newBytes", manifest.newBytes());
    mac.ifPresent(value -> json.addProperty("mac", value));
    return json.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static JsonObject source(Source source) {
    JsonObject json = new JsonObject();
    json.addProperty("clusterId", source.clusterId());
    json.addProperty("memberId", source.memberId());
    json.addProperty("memberName", source.memberName());
    json.addProperty("kvorumVersion", source.kvorumVersion());
    json.addProperty("featureLevel", source.featureLevel());
    return json;
  }

  private static JsonObject span(Span span) {
    JsonObject json = new JsonObject();
    json.addProperty("fromIndex", span.fromIndex());
    json.addProperty("toIndex", span.toIndex());
    json.addProperty("term", span.term());
    json.addProperty("fromRevision", span.fromRevision());
    json.addProperty("toRevision", span.toRevision());
    json.addProperty("fromTime", span.fromTime().toString());
    json.addProperty("toTime", span.toTime().toString());
    json.addProperty("compactRevision", span.compactRevision());
    return json;
  }

  private static JsonObject contentHash(ContentHash hash) {
    JsonObject json = new JsonObject();
    json.addProperty("hash", hash.hash());
    json.addProperty("revision", hash.revision());
    json.addProperty("compactRevision", hash.compactRevision());
    return json;
  }

  private static JsonObject previous(Previous previous) {
    JsonObject json = new JsonObject();
    json.addProperty("id", previous.id());
    json.addProperty("sha256", previous.sha256());
    return json;
  }

  private static JsonObject segment(Segment segment) {
    JsonObject json = new JsonObject();
    json.addProperty("name", segment.name());
    json.addProperty("hex", segment.hex());
    json.addProperty("bytes", segment.bytes());
    json.addProperty("firstRevision", segment.firstRevision());
    json.addProperty("lastRevision", segment.lastRevision());
    return json;
  }

  private static JsonObject chunk(LogChunk chunk) {
    JsonObject json = new JsonObject();
    json.addProperty("hex", chunk.hex());
    json.addProperty("bytes", chunk.bytes());
    json.addProperty("firstIndex", chunk.firstIndex());
    json.addProperty("lastIndex", chunk.lastIndex());
    json.addProperty("firstRevision", chunk.firstRevision());
    json.addProperty("lastRevision", chunk.lastRevision());
    json.addProperty("firstTime", chunk.firstTime().toString());
    json.addProperty("lastTime", chunk.lastTime().toString());
    json.addProperty("previousHex", chunk.previousHex());
    return json;
  }

  private static JsonObject state(State state) {
    JsonObject json = new JsonObject();
    json.addProperty("hex", state.hex());
    json.addProperty("bytes", state.bytes());
    return json;
  }

  private static <T> JsonArray list(List<T> items, Function<T, JsonObject> encode) {
    JsonArray array = new JsonArray(items.size());
    items.forEach(item -> array.add(encode.apply(item)));
    return array;
  }

  static Document decode(byte[] document) throws MalformedException {
    JsonFields json = JsonFields.parse(document);
    int version = json.smallNumber("formatVersion");
    if (version != FORMAT_VERSION) {
      throw new MalformedException("format version " + version + ", this program knows " + FORMAT_VERSION);
    }
    BackupManifest manifest =
        new BackupManifest(
            json.text("id"),
            json.one(TYPES::get, "type"),
            source(json.fields("source")),
            json.time("startedAt"),
            json.time("completedAt"),
            span(json.fields("span")),
            contentHash(json.fields("contentHash")),
            json.has("previous") ? Optional.of(previous(json.fields("previous"))) : Optional.empty(),
            segments(json.list("segments")),
            chunks(json.list("log")),
            json.has("state") ? Optional.of(state(json.fields("state"))) : Optional.empty(),
            json.number("bytes"),
            json.number("newBytes"));
    Optional<String> mac = json.has("mac") ? Optional.of(json.hex("mac")) : Optional.empty();
    json.end();
    Optional<String> problem = ManifestRules.problem(manifest);
    if (problem.isPresent()) {
      throw new MalformedException(problem.get());
    }
    return new Document(manifest, mac);
  }

  private static Source source(JsonFields json) throws MalformedException {
    Source source =
        new Source(json.text("clusterId"), json.text("memberId"), json.text("memberName"), json.text("kvorumVersion"), json.smallNumber("featureLevel"));
    json.end();
    return source;
  }

  private static Span span(JsonFields json) throws MalformedException {
    Span span =
        new Span(
            json.number("fromIndex"),
            json.number("toIndex"),
            json.number("term"),
            json.number("fromRevision"),
            json.number("toRevision"),
            json.time("fromTime"),
            json.time("toTime"),
            json.number("compactRevision"));
    json.end();
    return span;
  }

  private static ContentHash contentHash(JsonFields json) throws MalformedException {
    ContentHash hash = new ContentHash(json.number("hash"), json.number("revision"), json.number("compactRevision"));
    json.end();
    return hash;
  }

  private static Previous previous(JsonFields json) throws MalformedException {
    Previous previous = new Previous(json.text("id"), json.hex("sha256"));
    json.end();
    return previous;
  }

  private static List<Segment> segments(List<JsonFields> items) throws MalformedException {
    List<Segment> segments = new ArrayList<>(items.size());
    for (JsonFields json : items) {
      segments.add(new Segment(json.text("name"), json.hex("hex"), json.number("bytes"), json.number("firstRevision"), json.number("lastRevision")));
      json.end();
    }
    return segments;
  }

  private static List<LogChunk> chunks(List<JsonFields> items) throws MalformedException {
    List<LogChunk> chunks = new ArrayList<>(items.size());
    for (JsonFields json : items) {
      chunks.add(
          new LogChunk(
              json.hex("hex"),
              json.number("bytes"),
              json.number("firstIndex"),
              json.number("lastIndex"),
              json.number("firstRevision"),
              json.number("lastRevision"),
              json.time("firstTime"),
              json.time("lastTime"),
              json.text("previousHex")));
      json.end();
    }
    return chunks;
  }

  private static State state(JsonFields json) throws MalformedException {
    State state = new State(json.hex("hex"), json.number("bytes"));
    json.end();
    return state;
  }
}
