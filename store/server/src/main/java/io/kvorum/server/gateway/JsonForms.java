package io.kvorum.server.gateway;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.grpc.Status;
import io.kvorum.server.front.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * Messages as etcd's gateway writes them: names as in the interface's definition, 64-bit numbers as strings, bytes in base64, enumerations by name, nothing for what is
 * not set. Both forms of names are read, numbers with or without quotes, both alphabets of base64, and fields that are not known are passed over.
 */
final class JsonForms {
  static final Map<String, String> HEADERS = Map.of("Content-Type", "application/json");
  private static final int OK = 200;

  private final JsonFormat.Printer printer = JsonFormat.printer().preservingProtoFieldNames().omittingInsignificantWhitespace();
  private final JsonFormat.Parser parser = JsonFormat.parser().ignoringUnknownFields();

  /**
   * @throws InvalidProtocolBufferException saying what is wrong
   */
  Message read(String json, Message empty) throws InvalidProtocolBufferException {
    String complaint = JsonCheck.complaint(json, empty.getDescriptorForType());
    if (complaint != null) {
      throw new InvalidProtocolBufferException(complaint);
    }
    Message.Builder message = empty.newBuilderForType();
    parser.merge(json, message);
    return message.build();
  }

  String write(Message message) {
    try {
      return printer.print(message);
    } catch (InvalidProtocolBufferException impossible) {
      throw new IllegalStateException("a message of ours has no JSON form", impossible);
    }
  }

  /** {@code {"code":N,"message":"..."}}. */
  String write(Status error) {
    String text = error.getDescription() == null ? "" : error.getDescription();
    return write(com.google.rpc.Status.newBuilder().setCode(error.getCode().value()).setMessage(text).build());
  }

  HttpResponse answer(Message message) {
    return new HttpResponse(OK, HEADERS, bytes(write(message)));
  }

  HttpResponse refusal(Status error) {
    return new HttpResponse(httpStatus(error.getCode()), HEADERS, bytes(write(error)));
  }

  /** One answer of many, a line of its own. */
  byte[] resultLine(Message message) {
    return bytes("{\"result\":" + write(message) + "}\n");
  }

  /** The last line of a stream that failed. */
  byte[] errorLine(Status error) {
    return bytes("{\"error\":" + write(error) + "}\n");
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** The status that stands for a code of gRPC. */
  static int httpStatus(Status.Code code) {
    return switch (code) {
      case OK -> 200;
      case CANCELLED -> 499;
      case INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_RANGE -> 400;
      case DEADLINE_EXCEEDED -> 504;
      case NOT_FOUND -> 404;
      case ALREADY_EXISTS, ABORTED -> 409;
      case PERMISSION_DENIED -> 403;
      case UNAUTHENTICATED -> 401;
      case RESOURCE_EXHAUSTED -> 429;
      case UNIMPLEMENTED -> 501;
      case UNAVAILABLE -> 503;
      case UNKNOWN, INTERNAL, DATA_LOSS -> 500;
    };
  }
}
