/**
 * Watches. {@link io.kvorum.server.watch.WatchHub} hears of applied batches and gives them to one thread, which owns every watcher and makes every call on
 * their streams; {@code WatchCore} is what that thread runs: pure, without threads or clock. {@link io.kvorum.server.watch.WatchService} is the gRPC side.
 */
package io.kvorum.server.watch;
