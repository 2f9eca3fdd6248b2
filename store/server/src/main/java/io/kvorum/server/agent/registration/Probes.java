package io.kvorum.server.agent.registration;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.kvorum.protocol.health.HealthCheckRequest;
import io.kvorum.protocol.health.HealthCheckResponse;
import io.kvorum.protocol.health.HealthGrpc;
import io.kvorum.server.front.EventLoops;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.HttpVersion;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** The kinds of probes, all without a thread that waits. */
final class Probes {
  /** How long an application may take to answer. */
  static final int TIMEOUT_MILLIS = 1_000;

  private static final int STATUS_MIN = 200;
  private static final int STATUS_MAX = 399;

  private Probes() {}

  /** @param loops network threads; outlive the probe */
  static ReadinessProbe of(ReadinessTarget target, EventLoops loops) {
    return switch (target) {
      case ReadinessTarget.Always() -> () -> CompletableFuture.completedFuture(new Readiness.Ready());
      case ReadinessTarget.Tcp tcp -> () -> tcp(tcp.address(), loops);
      case ReadinessTarget.Http http -> () -> http(http, loops);
      case ReadinessTarget.Grpc grpc -> () -> grpc(grpc, loops);
    };
  }

  private static CompletableFuture<Readiness> tcp(InetSocketAddress address, EventLoops loops) {
    CompletableFuture<Readiness> answer = new CompletableFuture<>();
    ChannelFuture connected =
        bootstrap(loops)
            .handler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {}
                })
            .connect(address);
    connected.addListener(
        done -> {
          answer.complete(connected.isSuccess() ? new Readiness.Ready() : failed(connected.cause()));
          connected.channel().close();
        });
    return answer;
  }

  private static CompletableFuture<Readiness> http(ReadinessTarget.Http target, EventLoops loops) {
    CompletableFuture<Readiness> answer = new CompletableFuture<>();
    Bootstrap bootstrap =
        bootstrap(loops)
            .handler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    channel.pipeline().addLast(new HttpClientCodec(), new StatusReader(target, answer));
                  }
                });
    ChannelFuture connected = bootstrap.connect(target.address());
    Channel channel = connected.channel();
    connected.addListener(
        done -> {
          if (!connected.isSuccess()) {
            answer.complete(failed(connected.cause()));
          }
        });
    answer.completeOnTimeout(silent(), TIMEOUT_MILLIS, TimeUnit.MILLISECONDS).whenComplete((done, failure) -> channel.close());
    return answer;
  }

  /** A connection for each question: one that is kept answers for its own past (a refusal, the pauses between attempts) and not for the application now. */
  private static CompletableFuture<Readiness> grpc(ReadinessTarget.Grpc target, EventLoops loops) {
    HealthCheckRequest request = HealthCheckRequest.newBuilder().setService(target.service()).build();
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(target.address()).usePlaintext().eventLoopGroup(loops.group()).channelType(loops.clientChannel()).directExecutor().build();
    return Unary.call(channel, HealthGrpc.getCheckMethod(), request, TimeUnit.MILLISECONDS.toNanos(TIMEOUT_MILLIS))
        .handle(Probes::health)
        .whenComplete((answer, failure) -> channel.shutdownNow());
  }

  private static Readiness health(HealthCheckResponse answer, Throwable failure) {
    if (failure == null) {
      return answer.getStatus() == HealthCheckResponse.ServingStatus.SERVING ? new Readiness.Ready() : new Readiness.Unready(answer.getStatus().toString());
    }
    Status status = Status.fromThrowable(failure);
    return status.getCode() == Status.Code.DEADLINE_EXCEEDED
        ? silent()
        : new Readiness.Unready(status.getCode() + (status.getDescription() == null ? "" : ": " + status.getDescription()));
  }

  private static Bootstrap bootstrap(EventLoops loops) {
    return new Bootstrap().group(loops.group()).channel(loops.clientChannel()).option(ChannelOption.CONNECT_TIMEOUT_MILLIS, TIMEOUT_MILLIS);
  }

  private static Readiness silent() {
    return new Readiness.Silent("no answer within " + TIMEOUT_MILLIS + " ms");
  }

  private static Readiness failed(Throwable cause) {
    return cause instanceof ConnectTimeoutException ? silent() : new Readiness.Unready(String.valueOf(cause.getMessage()));
  }

  /** Asks when it is connected and takes the status line; what comes behind it is of no interest. */
  private static final class StatusReader extends SimpleChannelInboundHandler<HttpObject> {
    private final ReadinessTarget.Http target;
    private final CompletableFuture<Readiness> answer;

    StatusReader(ReadinessTarget.Http target, CompletableFuture<Readiness> answer) {
      this.target = target;
      this.answer = answer;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
      DefaultFullHttpRequest request = new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, target.path());
      request.headers()
          .set(HttpHeaderNames.HOST, target.host())
          .set(HttpHeaderNames.USER_AGENT, "kvorum-agent")
          .set(HttpHeaderNames.ACCEPT, "*/*")
          .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
      context.writeAndFlush(request);
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, HttpObject message) {
      if (!(message instanceof HttpResponse response) || (response.status().codeClass() == HttpStatusClass.INFORMATIONAL && !message.decoderResult().isFailure())) {
        return;
      }
      int status = response.status().code();
      if (message.decoderResult().isFailure()) {
        answer.complete(new Readiness.Unready("no HTTP"));
      } else if (status >= STATUS_MIN && status <= STATUS_MAX) {
        answer.complete(new Readiness.Ready());
      } else {
        answer.complete(new Readiness.Unready("HTTP status " + status));
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      answer.complete(new Readiness.Unready("the connection was closed"));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      answer.complete(failed(cause));
    }
  }
}
