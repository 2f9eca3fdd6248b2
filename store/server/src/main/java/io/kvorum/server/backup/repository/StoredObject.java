package io.kvorum.server.backup.repository;

import java.time.Instant;

/**
 * An object that is there.
 *
 * @param name relative to the place
 * @param bytes as stored, so with the frames of the encryption
 * @param modified when it was written, by the clock of the place
 */
public record StoredObject(String name, long bytes, Instant modified) {}
