package io.kvorum.server.auth;

import com.google.protobuf.ByteString;
import io.grpc.Context;
import io.grpc.Status;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;
import io.kvorum.server.base.EtcdError;
import java.security.SecureRandom;
import java.util.List;

/**
 * Whether the caller of the current call may have what is answered from this member's own state. What goes through the log is decided where it is applied, by
 * {@link AuthState}. Each check answers null, or the refusal; while auth is off every one answers null. Any thread.
 */
public final class Access {
  static final Context.Key<Credentials> CREDENTIALS = Context.key("credentials");

  private static final ByteString ZERO = ByteString.copyFrom(new byte[1]);
  private static final long DEFAULT_TTL_SECONDS = 300;

  private final AuthState state;
  private final Tokens tokens;

  public Access(AuthState state, Tokens tokens) {
    this.state = state;
    this.tokens = tokens;
  }

  /** What a call brought along; each may be null. */
  record Credentials(String token, String commonName) {}

  /** The common name that the current call is made under, null when a token or nothing counts instead. */
  public static String commonName() {
    Credentials credentials = CREDENTIALS.get();
    return credentials == null ? null : credentials.commonName;
  }

  /** With simple tokens of its own. */
  public static Access of(AuthState state) {
    return new Access(state, new SimpleTokens(System::nanoTime, DEFAULT_TTL_SECONDS, new SecureRandom(), 0));
  }

  /** Whether permissions are asked for at all. */
  public boolean enabled() {
    return state.view().enabled();
  }

  Tokens tokens() {
    return tokens;
  }

  /** Who makes the current call; to be asked in the call's context, and on a stream again for each message. */
  public Caller caller() {
    AuthView view = state.view();
    if (!view.enabled()) {
      return Caller.NOBODY;
    }
    Credentials credentials = CREDENTIALS.get();
    if (credentials == null) {
      return Caller.NOBODY;
    }
    if (credentials.token != null) {
      return tokens.resolve(credentials.token, view.revision());
    }
    return credentials.commonName == null ? Caller.NOBODY : Caller.of(credentials.commonName, view.revision());
  }

  private KeyAccess keys(Caller caller) {
    return new KeyAccess(state.view(), caller);
  }

  /** READ on a range; take the view of the store before. */
  public EtcdError read(Caller caller, ByteString key, ByteString rangeEnd) {
    return keys(caller).read(key, rangeEnd);
  }

  /** READ on every one of these keys; with none of them, being a user. */
  public EtcdError readAll(Caller caller, List<byte[]> keys) {
    return keys(caller).readAll(keys);
  }

  /** WRITE on every one of these keys; with none of them, being a user. */
  public EtcdError writeAll(Caller caller, List<byte[]> keys) {
    return keys(caller).writeAll(keys);
  }

  /** A transaction that only reads; take the view of the store before. */
  public EtcdError readTxn(Caller caller, TxnRequest txn) {
    EtcdError refusal = caller.refusal();
    return refusal != null ? refusal : keys(caller).txn(txn, lease -> List.of());
  }

  /** Whether the caller is a user. */
  public EtcdError user(Caller caller) {
    return state.view().user(caller);
  }

  /** Whether the caller has the root role. */
  public EtcdError admin(Caller caller) {
    return state.view().admin(caller);
  }

  /** For the watch service: READ on what is to be watched. */
  public Status watch(WatchCreateRequest request) {
    ByteString key = request.getKey().isEmpty() ? ZERO : request.getKey();
    EtcdError refusal = read(caller(), key, request.getRangeEnd());
    return refusal == null ? Status.OK : refusal.status();
  }
}
