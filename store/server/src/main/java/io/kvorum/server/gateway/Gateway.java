package io.kvorum.server.gateway;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.ClusterGrpc;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.WatchGrpc;
import io.kvorum.protocol.v3electionpb.ElectionGrpc;
import io.kvorum.protocol.v3lockpb.LockGrpc;
import io.kvorum.protocol.v1.LeasesGrpc;
import io.kvorum.server.front.HttpHandler;
import io.kvorum.server.front.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/**
 * Answers {@code POST /v3/...}: reads the JSON request, makes the call in this process as any client would, writes the answer as JSON. All of it happens beside the event
 * loops, since large values take their time; a connection has one request in work at a time, which bounds them.
 */
public final class Gateway implements HttpHandler {
  private static final String OWN_METADATA = "grpc-metadata-";
  private static final System.Logger LOG = System.getLogger(Gateway.class.getName());

  private final Supplier<Channel> services;
  private final Executor threads;
  private final Supplier<Parts> parts;
  private final int maxMessageBytes;

  /** What is only needed from the first request on. */
  private record Parts(Map<String, GatewayMethod> methods, JsonForms forms) {}

  /**
   * @param services the way to this member's services, asked for when first needed
   * @param threads a (virtual) thread for each task
   * @param maxMessageBytes largest request, as on the way of gRPC
   */
  public Gateway(Supplier<Channel> services, Executor threads, int maxMessageBytes) {
    this.maxMessageBytes = maxMessageBytes;
    this.services = services;
    this.threads = threads;
    this.parts = StableSupplier.of(() -> new Parts(GatewayMethod.byPath(services()), new JsonForms()));
  }

  private static List<ServiceDescriptor> services() {
    return List.of(
        KVGrpc.getServiceDescriptor(),
        WatchGrpc.getServiceDescriptor(),
        LeaseGrpc.getServiceDescriptor(),
        LeasesGrpc.getServiceDescriptor(),
        ClusterGrpc.getServiceDescriptor(),
        MaintenanceGrpc.getServiceDescriptor(),
        AuthGrpc.getServiceDescriptor(),
        LockGrpc.getServiceDescriptor(),
        ElectionGrpc.getServiceDescriptor());
  }

  @Override
  public void handle(HttpRequest request, Responder responder) {
    if (request.header("upgrade").equalsIgnoreCase("websocket")) {
      WebSocket socket = responder.webSocket();
      if (socket != null) {
        work(socket, () -> serve(socketRequest(request), socket));
      }
    } else {
      work(responder, () -> serve(request, responder));
    }
  }

  private void work(Responder responder, Runnable task) {
    threads.execute(
        () -> {
          try {
            task.run();
          } catch (RuntimeException broken) {
            LOG.log(System.Logger.Level.WARNING, "a gateway request failed", broken);
            responder.respond(parts.get().forms().refusal(Status.INTERNAL.withDescription(String.valueOf(broken.getMessage()))));
          }
        });
  }

  /** Browsers can set no headers for a WebSocket: a token comes as the protocol behind {@code Bearer}, or as a cookie, and nothing else comes along. As in etcd it is a POST. */
  private static HttpRequest socketRequest(HttpRequest request) {
    Map<String, String> headers = new HashMap<>();
    String protocol = request.header("sec-websocket-protocol");
    int bearer = protocol.indexOf("Bearer,");
    if (bearer >= 0) {
      headers.put("authorization", "Bearer " + protocol.substring(bearer + "Bearer,".length()).strip());
    }
    for (String cookie : request.header("cookie").split(";")) {
      if (cookie.strip().startsWith("token=")) {
        headers.put("authorization", "Bearer " + cookie.strip().substring("token=".length()));
      }
    }
    return new HttpRequest("POST", request.path(), request.query(), headers, new byte[0], request.secure());
  }

  private void serve(HttpRequest request, WebSocket socket) {
    JsonForms forms = parts.get().forms();
    GatewayMethod method = parts.get().methods().get(request.path());
    if (method != null && method.takesManyRequests()) {
      SocketRequests requests = new SocketRequests(socket, threads, method.request(), forms);
      StreamExchange exchange = new StreamExchange(call(method), socket, forms, requests);
      requests.onMore(exchange::send);
      exchange.start(metadata(request));
    } else if (method != null) {
      socket.receive(
          body -> work(socket, () -> serve(new HttpRequest("POST", request.path(), request.query(), request.headers(), body, request.secure()), (Responder) socket)));
    } else {
      serve(request, (Responder) socket);
    }
  }

  private void serve(HttpRequest request, Responder responder) {
    JsonForms forms = parts.get().forms();
    GatewayMethod method = parts.get().methods().get(request.path());
    if (method == null) {
      responder.respond(forms.refusal(Status.NOT_FOUND.withDescription("Not Found")));
      return;
    }
    if (!request.method().equals("POST")) {
      responder.respond(forms.refusal(Status.UNIMPLEMENTED.withDescription("Method Not Allowed")));
      return;
    }
    JsonValues values = new JsonValues(new String(request.body(), StandardCharsets.UTF_8));
    if (method.takesManyRequests()) {
      ClientCall<Message, Message> call = call(method);
      new StreamExchange(call, responder, forms, new Requests.Written(values, method.request(), forms)).start(metadata(request));
      return;
    }
    Message message;
    try {
      message = values.hasNext() ? forms.read(values.next(), method.request()) : method.request();
    } catch (InvalidProtocolBufferException wrong) {
      responder.respond(forms.refusal(Status.INVALID_ARGUMENT.withDescription(wrong.getMessage())));
      return;
    }
    if (message.getSerializedSize() > maxMessageBytes) {
      String text = "grpc: received message larger than max (" + message.getSerializedSize() + " vs. " + maxMessageBytes + ")";
      responder.respond(forms.refusal(Status.RESOURCE_EXHAUSTED.withDescription(text)));
      return;
    }
    if (method.givesManyAnswers()) {
      new StreamExchange(call(method), responder, forms, Requests.one(message)).start(metadata(request));
    } else {
      new UnaryExchange(call(method), responder, forms, message instanceof RangeRequest).start(metadata(request), message);
    }
  }

  private ClientCall<Message, Message> call(GatewayMethod method) {
    return services.get().newCall(method.grpc(), CallOptions.DEFAULT.withExecutor(threads));
  }

  /** The token, and what the caller sends for the services as {@code Grpc-Metadata-NAME}. */
  private static Metadata metadata(HttpRequest request) {
    Metadata metadata = new Metadata();
    put(metadata, "authorization", request.header("authorization"));
    request
        .headers()
        .forEach(
            (name, value) -> {
              String own = name.startsWith(OWN_METADATA) ? name.substring(OWN_METADATA.length()) : "";
              if (!own.isEmpty() && !own.startsWith("grpc-") && !own.endsWith(Metadata.BINARY_HEADER_SUFFIX)) {
                put(metadata, own, value);
              }
            });
    return metadata;
  }

  private static void put(Metadata metadata, String name, String value) {
    if (value.isEmpty()) {
      return;
    }
    try {
      metadata.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value);
    } catch (IllegalArgumentException noName) {
      LOG.log(System.Logger.Level.DEBUG, "a header that cannot be metadata", noName);
    }
  }
}
