/** The mutating webhook that gives pods their agents: its answers, its server and its certificates. */
package io.kvorum.operator.webhook;
