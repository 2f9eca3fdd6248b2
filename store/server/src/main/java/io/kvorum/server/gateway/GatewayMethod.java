package io.kvorum.server.gateway;

import com.google.api.AnnotationsProto;
import com.google.api.HttpRule;
import com.google.protobuf.Message;
import io.grpc.MethodDescriptor;
import io.grpc.ServiceDescriptor;
import io.grpc.protobuf.ProtoMethodDescriptorSupplier;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One method that can be called with POST.
 *
 * @param grpc the method
 * @param request an empty request
 */
record GatewayMethod(MethodDescriptor<Message, Message> grpc, Message request) {
  /** All methods of these services that have paths, by path. */
  static Map<String, GatewayMethod> byPath(Collection<ServiceDescriptor> services) {
    Map<String, GatewayMethod> methods = new HashMap<>();
    for (ServiceDescriptor service : services) {
      for (MethodDescriptor<?, ?> method : service.getMethods()) {
        GatewayMethod target = of(method);
        paths(method).forEach(path -> methods.put(path, target));
      }
    }
    return Map.copyOf(methods);
  }

  @SuppressWarnings("unchecked")
  private static GatewayMethod of(MethodDescriptor<?, ?> method) {
    MethodDescriptor<Message, Message> typed = (MethodDescriptor<Message, Message>) method;
    var marshaller = (MethodDescriptor.PrototypeMarshaller<Message>) typed.getRequestMarshaller();
    return new GatewayMethod(typed, marshaller.getMessagePrototype());
  }

  private static List<String> paths(MethodDescriptor<?, ?> method) {
    if (!(method.getSchemaDescriptor() instanceof ProtoMethodDescriptorSupplier schema)) {
      return List.of();
    }
    List<String> paths = new ArrayList<>();
    HttpRule rule = schema.getMethodDescriptor().getOptions().getExtension(AnnotationsProto.http);
    paths.add(rule.getPost());
    rule.getAdditionalBindingsList().forEach(more -> paths.add(more.getPost()));
    paths.removeIf(String::isEmpty);
    return paths;
  }

  boolean takesManyRequests() {
    return !grpc.getType().clientSendsOneMessage();
  }

  boolean givesManyAnswers() {
    return !grpc.getType().serverSendsOneMessage();
  }
}
