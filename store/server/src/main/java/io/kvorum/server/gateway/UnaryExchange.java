package io.kvorum.server.gateway;

import com.google.protobuf.Message;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.front.HttpHandler;
import java.util.Map;

/** One request, one answer. */
final class UnaryExchange extends ClientCall.Listener<Message> {
  /** The message, its text and the text's bytes are there at the same time. */
  private static final long JSON_FACTOR = 4;

  private static final Metadata.Key<String> STALE = Metadata.Key.of("kvorum-stale", Metadata.ASCII_STRING_MARSHALLER);

  private final ClientCall<Message, Message> call;
  private final HttpHandler.Responder responder;
  private final JsonForms forms;
  private final boolean changesNothing;
  private Map<String, String> more = Map.of();
  private Message answer;

  /**
   * @param changesNothing the call: its answer may be refused when there is no room for it
   */
  UnaryExchange(ClientCall<Message, Message> call, HttpHandler.Responder responder, JsonForms forms, boolean changesNothing) {
    this.changesNothing = changesNothing;
    this.call = call;
    this.responder = responder;
    this.forms = forms;
  }

  void start(Metadata metadata, Message request) {
    call.start(this, metadata);
    responder.onGone(() -> call.cancel("the HTTP connection has ended", null));
    // A second answer would be an error; asking for it lets the call end.
    call.request(2);
    call.sendMessage(request);
    call.halfClose();
  }

  /** What an agent says about its answer; members say nothing there. */
  @Override
  public void onHeaders(Metadata headers) {
    String age = headers.get(STALE);
    if (age != null) {
      more = Map.of("Grpc-Metadata-Kvorum-Stale", age);
    }
  }

  @Override
  public void onMessage(Message message) {
    answer = message;
  }

  @Override
  public void onClose(Status status, Metadata trailers) {
    if (!status.isOk() || answer == null) {
      responder.respond(forms.refusal(status));
    } else if (changesNothing && !responder.reserve(JSON_FACTOR * answer.getSerializedSize())) {
      responder.respond(forms.refusal(EtcdError.TOO_MANY_REQUESTS.status()));
    } else {
      responder.respond(forms.answer(answer).with(more));
    }
  }
}
