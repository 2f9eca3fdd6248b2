package io.kvorum.server.gateway;

import com.google.protobuf.Message;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.kvorum.server.front.HttpHandler;

/** One request, one answer. */
final class UnaryExchange extends ClientCall.Listener<Message> {
  private final ClientCall<Message, Message> call;
  private final HttpHandler.Responder responder;
  private final JsonForms forms;
  private Message answer;

  UnaryExchange(ClientCall<Message, Message> call, HttpHandler.Responder responder, JsonForms forms) {
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

  @Override
  public void onMessage(Message message) {
    answer = message;
  }

  @Override
  public void onClose(Status status, Metadata trailers) {
    responder.respond(status.isOk() && answer != null ? forms.answer(answer) : forms.refusal(status));
  }
}
