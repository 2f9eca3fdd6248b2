/**
 * The KV service, and the rules that hold for every call on the client port.
 *
 * <p>{@link io.kvorum.server.kv.RevisionWaits} is also a change listener of the state machine; {@link io.kvorum.server.kv.CallRules} intercepts all services.
 */
package io.kvorum.server.kv;
