package io.kvorum.operator.runtime.local;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/** The readiness probe of a member, as a node agent makes it: it answers 200 in time, also while it is a learner. */
final class Readiness {
  private static final String PATH = "/readyz?exclude=non_learner";
  private static final Duration LIMIT = Duration.ofMillis(500);

  private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(LIMIT).build();

  boolean isReady(String clientUrl) {
    HttpRequest request = HttpRequest.newBuilder(URI.create(clientUrl + PATH)).timeout(LIMIT).build();
    try {
      return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
