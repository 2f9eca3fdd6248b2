package io.kvorum.server.agent.registration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReadinessTargetTest {
  @Test
  void each_kind_is_read() {
    InetSocketAddress there = new InetSocketAddress("127.0.0.1", 8080);
    assertThat(ReadinessTarget.parse("none")).isEqualTo(new ReadinessTarget.Always());
    assertThat(ReadinessTarget.parse("http://127.0.0.1:8080/ready?deep=%201")).isEqualTo(new ReadinessTarget.Http(there, "127.0.0.1:8080", "/ready?deep=%201"));
    assertThat(ReadinessTarget.parse("http://127.0.0.1:8080")).isEqualTo(new ReadinessTarget.Http(there, "127.0.0.1:8080", "/"));
    assertThat(ReadinessTarget.parse("tcp://127.0.0.1:8080")).isEqualTo(new ReadinessTarget.Tcp(there));
    assertThat(ReadinessTarget.parse("grpc://127.0.0.1:8080")).isEqualTo(new ReadinessTarget.Grpc(there, ""));
    assertThat(ReadinessTarget.parse("grpc://127.0.0.1:8080/my.Service")).isEqualTo(new ReadinessTarget.Grpc(there, "my.Service"));
    assertThat(ReadinessTarget.parse("tcp://[::1]:8080")).isEqualTo(new ReadinessTarget.Tcp(new InetSocketAddress("::1", 8080)));
    assertThat(((ReadinessTarget.Tcp) ReadinessTarget.parse("tcp://localhost:8080")).address().getAddress().isLoopbackAddress()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {
    "", "maybe", "http://", "http://127.0.0.1/ready", "https://127.0.0.1:1/", "tcp://127.0.0.1:1/path", "tcp://example.com:1", "grpc://127.0.0.1:70000", "http://u@127.0.0.1:1/", "http://127.0.0.1:1/#x"
  })
  void anything_else_is_refused_with_the_forms_that_there_are(String text) {
    assertThatThrownBy(() -> ReadinessTarget.parse(text)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("grpc://ADDRESS:PORT[/SERVICE]");
  }
}
