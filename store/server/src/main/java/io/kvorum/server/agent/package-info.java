/** {@code kvorum agent}: the store on a pod's own loopback. Calls go on to the cluster under the agent's credentials; who may make them is decided here. */
package io.kvorum.server.agent;
