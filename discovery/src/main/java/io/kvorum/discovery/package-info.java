/**
 * Finding the instances of a service that are registered in Kvorum, or in etcd, in the form of etcd's own Go client ({@code clientv3/naming/endpoints}): {@link
 * io.kvorum.discovery.KvorumNameResolverProvider} for gRPC-Java, {@link io.kvorum.discovery.ServiceDirectory} for all else, and {@link io.kvorum.discovery.LeasedPut} for those who
 * register themselves.
 */
package io.kvorum.discovery;
