package io.kvorum.server.logging;

/**
 * When a log file is set aside for a new one, and how long those are kept.
 *
 * @param maxBytes a line that would make the file longer goes into a new one
 * @param maxAgeDays files set aside before so many days are deleted; 0 keeps them
 * @param maxBackups so many files set aside are kept; 0 keeps all
 * @param localTime whether the names of files that are set aside carry local time, else UTC
 * @param compress whether they are compressed
 */
public record Rotation(long maxBytes, int maxAgeDays, int maxBackups, boolean localTime, boolean compress) {}
