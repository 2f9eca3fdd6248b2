package io.kvorum.server.agent.upstream;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import io.grpc.Status;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import java.io.IOException;

/** A watch that is refused because of the token is told so in an answer, not by the end of its stream. */
final class WatchRefusals {
  /** A reason is a status as Go prints it, {@code rpc error: code = ... desc = etcdserver: ...}, or the text alone. */
  private static final String TEXT = "etcdserver: ";

  private WatchRefusals() {}

  /**
   * @param answer of a watch stream, encoded or not
   */
  static boolean in(Object answer, Login login) {
    return switch (answer) {
      case WatchResponse response -> response.getCanceled() && concerns(login, response.getCancelReason());
      case byte[] encoded -> concerns(login, reason(encoded));
      default -> false;
    };
  }

  private static boolean concerns(Login login, String reason) {
    int text = reason.indexOf(TEXT);
    return text >= 0 && login.concerns(Status.UNAUTHENTICATED.withDescription(reason.substring(text)));
  }

  /** Fields are encoded in their order, and events come last: of an answer with events little more than the header is looked at. */
  private static String reason(byte[] encoded) {
    try {
      CodedInputStream in = CodedInputStream.newInstance(encoded);
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        int field = WireFormat.getTagFieldNumber(tag);
        if (field == WatchResponse.CANCEL_REASON_FIELD_NUMBER) {
          return in.readString();
        }
        if (field > WatchResponse.CANCEL_REASON_FIELD_NUMBER) {
          return "";
        }
        in.skipField(tag);
      }
      return "";
    } catch (IOException broken) {
      return "";
    }
  }
}
