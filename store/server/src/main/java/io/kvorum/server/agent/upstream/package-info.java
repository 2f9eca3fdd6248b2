/** The agent's way to the cluster: its members, its credentials, and calls that go to a member that works. */
package io.kvorum.server.agent.upstream;
