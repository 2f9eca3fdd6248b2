package io.kvorum.operator.runtime.local;

import com.google.protobuf.ByteString;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.stub.MetadataUtils;
import io.kvorum.operator.store.StoreAccess;
import io.kvorum.operator.store.StoreAdmin.Endpoint;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthenticateRequest;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** Keys and values of a cluster of this machine, asked of whichever member answers. */
record LocalKv(List<Endpoint> endpoints, StoreAccess access) {

  void put(String key, String value) {
    call(stub -> stub.put(put(key, value, 0)));
  }

  String get(String key) {
    return call(stub -> stub.range(RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)).build())).getKvs(0).getValue().toStringUtf8();
  }

  /** The error of a transaction of that many operations, as code and message; empty when there was none. */
  String txnWithPuts(int operations) {
    TxnRequest.Builder request = TxnRequest.newBuilder();
    for (int i = 0; i < operations; i++) {
      request.addSuccess(RequestOp.newBuilder().setRequestPut(put("txn", "", i)));
    }
    try {
      call(stub -> stub.txn(request.build()));
      return "";
    } catch (StatusRuntimeException e) {
      return e.getStatus().getCode() + ": " + e.getStatus().getDescription();
    }
  }

  private static PutRequest put(String key, String value, int suffix) {
    return PutRequest.newBuilder().setKey(ByteString.copyFromUtf8(key + (suffix == 0 ? "" : suffix))).setValue(ByteString.copyFromUtf8(value)).build();
  }

  private <T> T call(Function<KVGrpc.KVBlockingStub, T> what) {
    StatusRuntimeException last = null;
    for (Endpoint endpoint : endpoints) {
      URI url = URI.create(endpoint.clientUrl());
      ManagedChannel channel = Grpc.newChannelBuilderForAddress(url.getHost(), url.getPort(), credentials()).build();
      try {
        return what.apply(withToken(KVGrpc.newBlockingStub(channel).withDeadlineAfter(10, TimeUnit.SECONDS), channel));
      } catch (StatusRuntimeException e) {
        last = e;
      } finally {
        channel.shutdownNow();
      }
    }
    throw last;
  }

  ChannelCredentials credentials() {
    if (access.tls().isEmpty()) {
      return InsecureChannelCredentials.create();
    }
    try {
      byte[] trusted = access.tls().get().trusted().getBytes(StandardCharsets.UTF_8);
      return TlsChannelCredentials.newBuilder().trustManager(new ByteArrayInputStream(trusted)).build();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private KVGrpc.KVBlockingStub withToken(KVGrpc.KVBlockingStub stub, ManagedChannel channel) {
    if (access.login().isEmpty()) {
      return stub;
    }
    AuthenticateRequest request =
        AuthenticateRequest.newBuilder().setName(access.login().get().user()).setPassword(access.login().get().password()).build();
    String token;
    try {
      token = AuthGrpc.newBlockingStub(channel).withDeadlineAfter(10, TimeUnit.SECONDS).authenticate(request).getToken();
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() == Status.Code.FAILED_PRECONDITION) {
        // Authentication was switched off, as clients with a password find out.
        return stub;
      }
      throw e;
    }
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER), token);
    return stub.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
  }
}
