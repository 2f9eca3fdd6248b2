/** The local copy of an agent: the mirrored prefixes of a cluster as a store of their own, fed by one watch, with the watches of local callers on it. */
package io.kvorum.server.agent.copy;
