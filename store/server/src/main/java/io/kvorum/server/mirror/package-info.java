/** {@code kvorum mirror}: a client of two clusters, which follows the changes of one and makes them in the other. */
package io.kvorum.server.mirror;
