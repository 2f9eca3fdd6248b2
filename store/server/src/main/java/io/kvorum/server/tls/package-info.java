/**
 * TLS of the ports and of connections between members, by the JDK's provider: certificate files that are read again when they change, made certificates, and the
 * checks on whoever connects. A handshake takes whatever the files hold at that moment; connections that are open never notice. Private keys are never logged.
 */
package io.kvorum.server.tls;
