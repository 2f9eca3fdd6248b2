package io.kvorum.operator.webhook;

import io.kvorum.operator.certificates.KeyPairPem;
import io.vertx.core.AsyncResult;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.SSLOptions;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The HTTPS end of the webhook. It listens from the first certificate on and takes further ones without closing anything: connections that are open go on, new ones see
 * the new certificate. Whoever reaches the port may ask; an answer tells no more than the patch of the pod that was sent.
 */
public final class WebhookServer implements AutoCloseable {
  /** Path of the reviews. */
  public static final String PATH = "/inject";

  private static final Logger LOG = Logger.getLogger(WebhookServer.class.getName());

  /** As much as an API server takes for an object. */
  private static final int BODY_MAX = 3 << 20;

  /** Reviews under way at once, and their bytes; more are turned away, and their pods admitted as they are. */
  private static final int REVIEWS_MAX = 128;

  private static final int BYTES_MAX = 16 << 20;

  /** Reviews that are worked on at once; each is read into a tree several times its size. */
  private static final int WORKERS = 4;

  /** A request that takes longer to arrive is of nobody who waits for the answer. */
  private static final long READ_MILLIS = 5_000;

  private static final int IDLE_SECONDS = 60;
  private static final long CHANGE_SECONDS = 30;
  private static final int OK = 200;
  private static final int BAD_REQUEST = 400;
  private static final int NOT_FOUND = 404;
  private static final int TOO_LARGE = 413;
  private static final int ERROR = 500;
  private static final int BUSY = 503;

  private final Vertx vertx;
  private final int port;
  private final UnaryOperator<byte[]> reviews;
  private final WorkerExecutor workers;
  private final AtomicInteger underWay = new AtomicInteger();
  private final AtomicInteger bytes = new AtomicInteger();
  private volatile HttpServer server;

  /**
   * @param port to listen at, 0 for any that is free
   * @param reviews answers one review; an {@link IllegalArgumentException} means that it is none
   */
  public WebhookServer(Vertx vertx, int port, UnaryOperator<byte[]> reviews) {
    this.vertx = vertx;
    this.port = port;
    this.reviews = reviews;
    this.workers = vertx.createSharedWorkerExecutor("webhook", WORKERS);
  }

  /** Shows this certificate to connections from now on, and begins to listen. */
  public void show(KeyPairPem pair) {
    PemKeyCertOptions shown = new PemKeyCertOptions().addCertValue(Buffer.buffer(pair.certificate())).addKeyValue(Buffer.buffer(pair.key()));
    if (server != null) {
      await(server.updateSSLOptions(new SSLOptions().setKeyCertOptions(shown)));
      return;
    }
    HttpServerOptions options = new HttpServerOptions().setSsl(true).setKeyCertOptions(shown).setIdleTimeout(IDLE_SECONDS).setPort(port).setHost("0.0.0.0");
    server = await(vertx.createHttpServer(options).requestHandler(this::take).listen());
  }

  /** Whether it listens. */
  public boolean listening() {
    return server != null;
  }

  /** Where it listens. */
  public int port() {
    return server.actualPort();
  }

  private void take(HttpServerRequest request) {
    if (request.method() != HttpMethod.POST || !request.path().equals(PATH)) {
      end(request, NOT_FOUND, Buffer.buffer());
      return;
    }
    if (underWay.incrementAndGet() > REVIEWS_MAX) {
      underWay.decrementAndGet();
      end(request, BUSY, Buffer.buffer());
      return;
    }
    new Review(request).read();
  }

  /** One request, from its head to its answer. All of it runs on the server's event loop. */
  private final class Review {
    private final HttpServerRequest request;
    private final Buffer body = Buffer.buffer();
    private final long limit;
    private boolean reading = true;
    private boolean counted = true;

    Review(HttpServerRequest request) {
      this.request = request;
      this.limit = vertx.setTimer(READ_MILLIS, late -> request.connection().close());
    }

    void read() {
      request.handler(part -> {
        if (!reading) {
          return;
        }
        boolean fits = body.length() + part.length() <= BODY_MAX;
        if (fits && bytes.addAndGet(part.length()) <= BYTES_MAX) {
          body.appendBuffer(part);
          return;
        }
        if (fits) {
          bytes.addAndGet(-part.length());
        }
        reading = false;
        answer(fits ? BUSY : TOO_LARGE, Buffer.buffer());
      });
      request.exceptionHandler(gone -> {
        vertx.cancelTimer(limit);
        finish();
      });
      request.endHandler(whole -> {
        vertx.cancelTimer(limit);
        if (reading) {
          workers.executeBlocking(() -> reviews.apply(body.getBytes()), false).onComplete(this::done);
        }
      });
    }

    private void done(AsyncResult<byte[]> done) {
      if (done.succeeded()) {
        request.response().putHeader("Content-Type", "application/json");
        answer(OK, Buffer.buffer(done.result()));
      } else if (done.cause() instanceof IllegalArgumentException refused) {
        answer(BAD_REQUEST, Buffer.buffer(String.valueOf(refused.getMessage())));
      } else {
        LOG.log(Level.WARNING, "a review failed", done.cause());
        answer(ERROR, Buffer.buffer());
      }
    }

    private void answer(int status, Buffer text) {
      finish();
      end(request, status, text);
    }

    private void finish() {
      if (counted) {
        counted = false;
        underWay.decrementAndGet();
        bytes.addAndGet(-body.length());
      }
    }
  }

  private static void end(HttpServerRequest request, int status, Buffer body) {
    if (!request.response().ended() && !request.response().closed()) {
      request.response().setStatusCode(status).end(body);
    }
  }

  @Override
  public void close() {
    if (server != null) {
      await(server.close());
    }
    await(workers.close());
  }

  private static <T> T await(Future<T> future) {
    try {
      return future.toCompletionStage().toCompletableFuture().get(CHANGE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    } catch (TimeoutException e) {
      throw new IllegalStateException("the webhook's server does not answer", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
