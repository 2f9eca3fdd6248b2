package io.kvorum.discovery;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.TlsChannelCredentials;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** The endpoints of {@link StoreOptions}, one connection at a time. */
final class EndpointStore implements Store {
  /** A connection that is dead without a word is found out within both together. The servers allow a ping every five seconds. */
  private static final long PING_SECONDS = 10;

  private static final long PING_ANSWER_SECONDS = 5;

  private final StoreOptions options;
  private ManagedChannel connection;
  private Channel channel;
  private int next;
  private boolean closed;

  EndpointStore(StoreOptions options) {
    this.options = options;
  }

  @Override
  public synchronized Channel channel() {
    if (channel == null) {
      Endpoint endpoint = Endpoint.parse(options.endpoints().get(next));
      ManagedChannelBuilder<?> builder = Grpc.newChannelBuilder(endpoint.target(), credentials(endpoint));
      if (!endpoint.socket()) {
        builder.keepAliveTime(PING_SECONDS, TimeUnit.SECONDS).keepAliveTimeout(PING_ANSWER_SECONDS, TimeUnit.SECONDS);
      }
      connection = builder.build();
      channel = options.tokenFile() == null ? connection : ClientInterceptors.intercept(connection, new TokenOfFile(options.tokenFile()));
      if (closed) {
        connection.shutdownNow();
      }
    }
    return channel;
  }

  private ChannelCredentials credentials(Endpoint endpoint) {
    if (!endpoint.tls()) {
      return InsecureChannelCredentials.create();
    }
    try {
      TlsChannelCredentials.Builder tls = TlsChannelCredentials.newBuilder();
      return (options.caFile() == null ? tls : tls.trustManager(options.caFile().toFile())).build();
    } catch (IOException unreadable) {
      throw new UncheckedIOException(options.caFile() + ": " + unreadable.getMessage(), unreadable);
    }
  }

  /** To the same one, if there is no other: a new connection is tried at the caller's pace, a failed one at gRPC's, which comes to minutes. */
  @Override
  public synchronized void turn(Channel failed) {
    if (failed != channel) {
      return;
    }
    next = (next + 1) % options.endpoints().size();
    connection.shutdown();
    connection = null;
    channel = null;
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (connection != null) {
      connection.shutdownNow();
    }
  }

  /** Puts the token of a file on each call. */
  private record TokenOfFile(Path file) implements ClientInterceptor {
    private static final Metadata.Key<String> TOKEN = Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER);

    @Override
    public <Q, R> ClientCall<Q, R> interceptCall(MethodDescriptor<Q, R> method, CallOptions callOptions, Channel next) {
      return new ClientInterceptors.CheckedForwardingClientCall<>(next.newCall(method, callOptions)) {
        @Override
        protected void checkedStart(Listener<R> listener, Metadata headers) throws StatusException {
          try {
            headers.put(TOKEN, Files.readString(file).strip());
          } catch (IOException unreadable) {
            throw Status.UNAUTHENTICATED.withDescription("the token cannot be read: " + unreadable.getMessage()).asException();
          }
          delegate().start(listener, headers);
        }
      };
    }
  }
}
