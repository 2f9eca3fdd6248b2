/**
 * Users, roles, permissions and tokens. {@link io.kvorum.server.auth.AuthState} is replicated and decides in apply; {@link io.kvorum.server.auth.Access} decides about
 * what is answered from a member's own state.
 */
package io.kvorum.server.auth;
