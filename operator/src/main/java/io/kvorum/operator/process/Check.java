package io.kvorum.operator.process;

import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/** One question over HTTP, for {@code helm test}: the image has no other program that could ask. */
final class Check {
  private static final Duration LIMIT = Duration.ofSeconds(5);
  private static final int ATTEMPTS = 6;

  private Check() {}

  /** @return whether the answer was 200, on one of a few attempts */
  static boolean run(String url, PrintStream out) {
    try (HttpClient client = HttpClient.newBuilder().connectTimeout(LIMIT).build()) {
      HttpRequest request = HttpRequest.newBuilder(URI.create(url)).timeout(LIMIT).build();
      for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
        try {
          HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
          out.println(answer.statusCode() + " " + answer.body());
          if (answer.statusCode() == 200) {
            return true;
          }
        } catch (IOException e) {
          out.println(url + ": " + e);
        }
        Thread.sleep(Duration.ofSeconds(1));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return false;
  }
}
