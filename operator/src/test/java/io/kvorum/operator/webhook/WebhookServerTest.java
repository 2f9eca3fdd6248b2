package io.kvorum.operator.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.kvorum.operator.certificates.Authority;
import io.kvorum.operator.certificates.Issuer;
import io.kvorum.operator.certificates.Leaf;
import io.kvorum.operator.certificates.Pem;
import io.kvorum.operator.desired.Examples;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Reviews over HTTPS, asked as an API server asks. */
class WebhookServerTest {
  private static final ObjectMapper JSON = Serialization.jsonMapper();
  private static final Leaf LEAF = new Leaf("kvorum-webhook", List.of("localhost"), List.of("127.0.0.1"));
  private static final Issuer ISSUER = new Issuer(new SecureRandom());
  private static Vertx vertx;

  @BeforeAll
  static void start() {
    vertx = Vertx.vertx();
  }

  @AfterAll
  static void stop() throws Exception {
    vertx.close().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
  }

  private static WebhookServer server() {
    return new WebhookServer(
        vertx, 0,
        new Admission(
                asked -> {
                  if (asked.name().equals("broken")) {
                    throw new KubernetesClientException("no answer");
                  }
                  return Optional.of(Examples.cluster("")).filter(one -> asked.name().equals("kv") && asked.namespace().equals("shop"));
                },
                Examples.DEFAULTS)
            ::answer);
  }

  private static String review(String cluster, String annotations) {
    return """
        {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u-1", "operation": "CREATE", "namespace": "shop",
          "object": {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"generateName": "web-", "labels": {"kvorum.io/inject": "%s"}, "annotations": {%s}},
            "spec": {"containers": [{"name": "web", "image": "web:1", "novelty": {"kept": true}}]}}}}
        """
        .formatted(cluster, annotations);
  }

  @Test
  void aPodThatAsksIsPatched() throws Exception {
    Authority authority = Authority.create(ISSUER, "a", Instant.now());
    try (WebhookServer server = server()) {
      server.show(ISSUER.leaf(authority.signer(), LEAF, Instant.now(), Authority.LEAF_VALIDITY));
      JsonNode answer = ask(server, authority.bundle(), review("kv", "\"kvorum.io/prefixes\": \"shop/\""));

      assertThat(answer.at("/apiVersion").asText()).isEqualTo("admission.k8s.io/v1");
      assertThat(answer.at("/kind").asText()).isEqualTo("AdmissionReview");
      assertThat(answer.at("/response/uid").asText()).isEqualTo("u-1");
      assertThat(answer.at("/response/allowed").asBoolean()).isTrue();
      assertThat(answer.at("/response/patchType").asText()).isEqualTo("JSONPatch");
      JsonNode patch = JSON.readTree(Base64.getDecoder().decode(answer.at("/response/patch").asText()));
      assertThat(patch).allSatisfy(operation -> assertThat(operation.path("op").asText()).isEqualTo("add"));
      assertThat(patch).extracting(operation -> operation.path("path").asText()).containsExactly("/spec/volumes", "/spec/initContainers", "/spec/containers/0/env");
      assertThat(patch.at("/1/value/0/name").asText()).isEqualTo("kvorum-agent");
      assertThat(patch.at("/1/value/0/restartPolicy").asText()).isEqualTo("Always");
    }
  }

  @Test
  void aPodThatCannotBeHelpedIsAdmittedAsItIsWithAWarning() throws Exception {
    Authority authority = Authority.create(ISSUER, "a", Instant.now());
    try (WebhookServer server = server()) {
      server.show(ISSUER.leaf(authority.signer(), LEAF, Instant.now(), Authority.LEAF_VALIDITY));

      assertThat(refused(ask(server, authority.bundle(), review("other", "")))).isEqualTo("no kvorum-agent: there is no KvorumCluster shop/other that this operator looks after");
      assertThat(refused(ask(server, authority.bundle(), review("kv", "\"kvorum.io/agent-port\": \"0\""))))
          .isEqualTo("no kvorum-agent: kvorum.io/agent-port is a number from 1024 to 65535, not \"0\"");
      assertThat(refused(ask(server, authority.bundle(), review("broken", "")))).isEqualTo("no kvorum-agent: its KvorumCluster could not be read");
      assertThat(refused(ask(server, authority.bundle(), review("", "")))).isEqualTo("no kvorum-agent: the label kvorum.io/inject names no KvorumCluster");
      assertThat(refused(ask(server, authority.bundle(), review("kv", "\"kvorum.io/agent-port\": \"" + "9".repeat(500) + "\"")))).hasSize(256);
    }
  }

  private static String refused(JsonNode answer) {
    assertThat(answer.at("/response/allowed").asBoolean()).isTrue();
    assertThat(answer.at("/response/patch").isMissingNode()).isTrue();
    assertThat(answer.at("/response/warnings")).hasSize(1);
    return answer.at("/response/warnings/0").asText();
  }

  @Test
  void aRotatedCertificateIsShownToNewConnectionsAndOpenOnesGoOn() throws Exception {
    Authority before = Authority.create(ISSUER, "before", Instant.now());
    Authority after = Authority.create(ISSUER, "after", Instant.now());
    try (WebhookServer server = server(); HttpClient open = client(before.bundle())) {
      server.show(ISSUER.leaf(before.signer(), LEAF, Instant.now(), Authority.LEAF_VALIDITY));
      int port = server.port();
      assertThat(send(open, server, review("kv", "")).statusCode()).isEqualTo(200);

      server.show(ISSUER.leaf(after.signer(), LEAF, Instant.now(), Authority.LEAF_VALIDITY));

      assertThat(server.port()).isEqualTo(port);
      assertThat(send(open, server, review("kv", "")).statusCode()).as("on the connection of before").isEqualTo(200);
      assertThat(ask(server, after.bundle(), review("kv", "")).at("/response/allowed").asBoolean()).isTrue();
      assertThatThrownBy(() -> ask(server, before.bundle(), review("kv", ""))).isInstanceOf(SSLHandshakeException.class);
    }
  }

  @Test
  void whatIsNoReviewIsRefused() throws Exception {
    Authority authority = Authority.create(ISSUER, "a", Instant.now());
    try (WebhookServer server = server(); HttpClient client = client(authority.bundle())) {
      assertThat(server.listening()).isFalse();
      server.show(ISSUER.leaf(authority.signer(), LEAF, Instant.now(), Authority.LEAF_VALIDITY));

      assertThat(server.listening()).isTrue();
      for (String text : List.of("", "[]", "{}", "{\"request\": {\"uid\": \"u\"}}", "{\"request\": {\"uid\": \"u\", \"object\": {\"spec\": 5}}}", "\u0000")) {
        assertThat(send(client, server, text).statusCode()).as(text).isEqualTo(400);
      }
      assertThat(send(client, server, " ".repeat(4 << 20)).statusCode()).isEqualTo(413);
      HttpRequest elsewhere = HttpRequest.newBuilder(URI.create("https://127.0.0.1:" + server.port() + "/metrics")).build();
      assertThat(client.send(elsewhere, HttpResponse.BodyHandlers.ofString()).statusCode()).isEqualTo(404);
      for (int more = 0; more < 20; more++) {
        assertThat(send(client, server, review("kv", "") + " ".repeat(1 << 20)).statusCode()).as("and goes on, with nothing left of those before").isEqualTo(200);
      }
    }
  }

  private static JsonNode ask(WebhookServer server, String trusted, String review) throws Exception {
    try (HttpClient client = client(trusted)) {
      HttpResponse<String> answer = send(client, server, review);
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
      assertThat(answer.headers().firstValue("content-type")).contains("application/json");
      return JSON.readTree(answer.body());
    }
  }

  private static HttpResponse<String> send(HttpClient client, WebhookServer server, String review) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("https://127.0.0.1:" + server.port() + "/inject?timeout=5s"))
            .timeout(Duration.ofSeconds(20))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(review))
            .build();
    return client.send(request, HttpResponse.BodyHandlers.ofString());
  }

  private static HttpClient client(String trusted) throws GeneralSecurityException, IOException {
    KeyStore anchors = KeyStore.getInstance(KeyStore.getDefaultType());
    anchors.load(null, null);
    anchors.setCertificateEntry("ca", Pem.certificates(trusted).getFirst());
    TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(anchors);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    return HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).sslContext(context).build();
  }
}
