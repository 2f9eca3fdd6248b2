package io.kvorum.server.gateway;

import com.google.protobuf.Message;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.kvorum.server.front.HttpHandler;
import io.kvorum.server.front.HttpResponse;
import java.util.Map;

/**
 * Any number of requests, a line for each answer. The next answer is asked for when the connection can take it, so that at most one waits here; requests are sent when
 * the service takes them. The end of the requests ends nothing else.
 */
final class StreamExchange extends ClientCall.Listener<Message> {
  private static final int OK = 200;

  private final ClientCall<Message, Message> call;
  private final HttpHandler.Responder responder;
  private final JsonForms forms;
  private final Requests requests;
  private boolean requestsDone;
  private HttpHandler.Stream out;

  StreamExchange(ClientCall<Message, Message> call, HttpHandler.Responder responder, JsonForms forms, Requests requests) {
    this.call = call;
    this.responder = responder;
    this.forms = forms;
    this.requests = requests;
  }

  void start(Metadata metadata) {
    call.start(this, metadata);
    responder.onGone(() -> call.cancel("the HTTP connection has ended", null));
    call.request(1);
    send();
  }

  /** Sends what there is to send. */
  synchronized void send() {
    while (!requestsDone && call.isReady()) {
      Message request = requests.next();
      if (request != null) {
        call.sendMessage(request);
      } else if (requests.over()) {
        requestsDone = true;
        call.halfClose();
      } else {
        return;
      }
    }
  }

  @Override
  public void onReady() {
    send();
  }

  @Override
  public void onMessage(Message message) {
    begin();
    out.write(forms.resultLine(message));
    out.whenWritable(() -> call.request(1));
  }

  @Override
  public void onClose(Status status, Metadata trailers) {
    if (status.isOk()) {
      // Without a single line there is nothing whose type could be told.
      (out == null ? responder.stream(OK, Map.of()) : out).end();
    } else if (out == null) {
      responder.respond(new HttpResponse(JsonForms.httpStatus(status.getCode()), JsonForms.HEADERS, forms.errorLine(status)));
    } else {
      out.write(forms.errorLine(status));
      out.end();
    }
  }

  private void begin() {
    if (out == null) {
      out = responder.stream(OK, JsonForms.HEADERS);
    }
  }
}
