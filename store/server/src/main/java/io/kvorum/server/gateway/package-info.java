/** The services as JSON over HTTP/1.1, with the paths and forms of etcd's gateway: what the interface's own descriptors say about HTTP, called inside this process. */
package io.kvorum.server.gateway;
