/** Moving data between this store and etcd: what a member holds as the buckets of an etcd snapshot, and the other way round. */
package io.kvorum.server.migrate;
