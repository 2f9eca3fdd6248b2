package io.kvorum.server.agent.registration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The command against the socket. */
@Timeout(60)
class DeregisterTest {
  @TempDir Path temp;
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final Memory entries = new Memory();
  private final StringBuffer out = new StringBuffer();
  private final StringBuffer err = new StringBuffer();

  /** A cluster of one lease. */
  private static final class Memory implements EntryStore {
    private volatile long lease;
    private volatile boolean away;

    @Override
    public CompletableFuture<Long> write(ByteString key, ByteString value, long id, long ttlSeconds) {
      lease = id;
      return CompletableFuture.completedFuture(ttlSeconds);
    }

    @Override
    public CompletableFuture<Renewal> renew(ByteString key, long id) {
      return CompletableFuture.completedFuture(new Renewal(lease == id ? 60 : 0, Event.Holder.OURS));
    }

    @Override
    public CompletableFuture<Void> revoke(long id) {
      if (away) {
        return CompletableFuture.failedFuture(Status.UNAVAILABLE.withDescription("etcdserver: no leader").asRuntimeException());
      }
      lease = 0;
      return CompletableFuture.completedFuture(null);
    }
  }

  @AfterEach
  void stop() {
    timer.shutdownNow();
  }

  private Registrar registrar() {
    RegistrationSettings settings =
        new RegistrationSettings("services", "web", "pod-0", new Endpoint("10.0.0.1:80", Map.of()), 60, "none", Duration.ofSeconds(1));
    Registrar registrar =
        new Registrar(settings, entries, () -> CompletableFuture.completedFuture(new Readiness.Ready()), timer, System::nanoTime, new Random(1));
    registrar.start();
    assertThat(entries.lease).isPositive();
    assertThat(registrar.isRegistered()).isTrue();
    return registrar;
  }

  private int run(Map<String, String> environment, String... arguments) {
    return Deregister.run(List.of(arguments), environment, out, err);
  }

  @Test
  void the_entry_is_gone_when_the_command_ends() throws Exception {
    Path path = temp.resolve("agent.sock");
    try (ControlSocket ignored = ControlSocket.open(path, registrar())) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path))).isEqualTo("rw-------");
      assertThat(run(Map.of(), "--control-socket=" + path)).as(err.toString()).isZero();
      assertThat(entries.lease).isZero();
      assertThat(out.toString()).isEqualTo("deregistered\n");
      assertThat(run(Map.of(Deregister.VARIABLE, path.toString()))).as("again, by the environment").isZero();
    }
    assertThat(path).doesNotExist();
    assertThat(run(Map.of(), "--control-socket", path.toString())).isEqualTo(1);
    assertThat(err.toString()).contains("no agent listens at " + path);
  }

  @Test
  void what_is_not_confirmed_is_told_with_the_reason() throws Exception {
    entries.away = true;
    Path path = temp.resolve("agent.sock");
    try (ControlSocket ignored = ControlSocket.open(path, registrar())) {
      assertThat(run(Map.of(), "--control-socket=" + path)).isEqualTo(1);
      assertThat(err.toString()).contains("not confirmed within 10 s", "etcdserver: no leader", "60 s after it was renewed last");
    }
  }

  @Test
  void wrong_arguments_are_answered_with_the_usage() {
    assertThat(run(Map.of(), "--now")).isEqualTo(2);
    assertThat(err.toString()).startsWith("Usage: kvorum agent deregister");
    assertThat(run(Map.of(), "--help")).isZero();
  }

  @Test
  void a_socket_that_was_left_behind_is_taken_over_and_one_in_use_or_a_file_is_not() throws Exception {
    Path path = temp.resolve("agent.sock");
    Registrar registrar = registrar();
    try (ControlSocket ignored = ControlSocket.open(path, registrar)) {
      assertThatThrownBy(() -> ControlSocket.open(path, registrar)).isInstanceOf(IOException.class).hasMessageContaining("another agent listens there");
    }
    try (var left = java.nio.channels.ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
      left.bind(java.net.UnixDomainSocketAddress.of(path));
    }
    ControlSocket.open(path, registrar).close();
    Files.writeString(path, "mine");
    assertThatThrownBy(() -> ControlSocket.open(path, registrar)).isInstanceOf(IOException.class).hasMessageContaining("something else");
    assertThat(path).hasContent("mine");
  }
}
