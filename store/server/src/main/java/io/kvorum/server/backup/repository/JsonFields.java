package io.kvorum.server.backup.repository;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonIOException;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonSyntaxException;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Reads a JSON object field by field; what is missing, of another type, or left over at the end is refused. */
final class JsonFields {
  private final String where;
  private final JsonObject object;

  private JsonFields(String where, JsonObject object) {
    this.where = where;
    this.object = object;
  }

  /** What is wrong with a document. */
  static final class MalformedException extends Exception {
    private static final long serialVersionUID = 1;

    MalformedException(String message) {
      super(message);
    }
  }

  static JsonFields parse(byte[] document) throws MalformedException {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(document)).toString();
      JsonReader reader = new JsonReader(new StringReader(text));
      reader.setStrictness(Strictness.STRICT);
      JsonElement element = JsonParser.parseReader(reader);
      if (!element.isJsonObject() || reader.peek() != JsonToken.END_DOCUMENT) {
        throw new MalformedException("not one JSON object");
      }
      return new JsonFields("", element.getAsJsonObject());
    } catch (CharacterCodingException e) {
      throw new MalformedException("not UTF-8");
    } catch (JsonSyntaxException | JsonIOException | IOException e) {
      throw new MalformedException("not JSON, or cut off");
    }
  }

  boolean has(String name) {
    return object.has(name);
  }

  String text(String name) throws MalformedException {
    JsonElement value = take(name);
    if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isString()) {
      throw wrong(name, "no text");
    }
    return value.getAsString();
  }

  /** A number without sign. */
  long number(String name) throws MalformedException {
    JsonElement value = take(name);
    if (value.isJsonPrimitive() && value.getAsJsonPrimitive().isNumber()) {
      try {
        long number = Long.parseLong(value.getAsString());
        if (number >= 0) {
          return number;
        }
      } catch (NumberFormatException e) {
        // Said below.
      }
    }
    throw wrong(name, "no whole number from 0 on");
  }

  int smallNumber(String name) throws MalformedException {
    long number = number(name);
    if (number > Integer.MAX_VALUE) {
      throw wrong(name, "too large");
    }
    return (int) number;
  }

  boolean flag(String name) throws MalformedException {
    JsonElement value = take(name);
    if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isBoolean()) {
      throw wrong(name, "neither true nor false");
    }
    return value.getAsBoolean();
  }

  Instant time(String name) throws MalformedException {
    try {
      return Instant.parse(text(name));
    } catch (DateTimeException e) {
      throw wrong(name, "no time");
    }
  }

  /** A text that {@link ObjectNames#isHex} takes. */
  String hex(String name) throws MalformedException {
    String hex = text(name);
    if (!ObjectNames.isHex(hex)) {
      throw wrong(name, "not 64 hexadecimal digits");
    }
    return hex;
  }

  <T> T one(Function<String, T> known, String name) throws MalformedException {
    T value = known.apply(text(name));
    if (value == null) {
      throw wrong(name, "not known");
    }
    return value;
  }

  JsonFields fields(String name) throws MalformedException {
    JsonElement value = take(name);
    if (!value.isJsonObject()) {
      throw wrong(name, "no object");
    }
    return new JsonFields(where + name + ".", value.getAsJsonObject());
  }

  List<JsonFields> list(String name) throws MalformedException {
    JsonElement value = take(name);
    if (!value.isJsonArray()) {
      throw wrong(name, "no list");
    }
    JsonArray array = value.getAsJsonArray();
    List<JsonFields> list = new ArrayList<>(array.size());
    for (int i = 0; i < array.size(); i++) {
      if (!array.get(i).isJsonObject()) {
        throw wrong(name + "[" + i + "]", "no object");
      }
      list.add(new JsonFields(where + name + "[" + i + "].", array.get(i).getAsJsonObject()));
    }
    return list;
  }

  /** All fields are read. */
  void end() throws MalformedException {
    for (String name : object.keySet()) {
      throw new MalformedException("unknown field " + where + name);
    }
  }

  private JsonElement take(String name) throws MalformedException {
    JsonElement value = object.remove(name);
    if (value == null) {
      throw new MalformedException("no field " + where + name);
    }
    return value;
  }

  private MalformedException wrong(String name, String why) {
    return new MalformedException("field " + where + name + ": " + why);
  }
}
