package io.kvorum.server.agent;

import com.google.protobuf.ByteString;
import java.nio.file.Path;
import java.util.List;

/**
 * What is copied.
 *
 * @param prefixes at least one; the empty one is all keys
 * @param staleReads answer from the copy while cut off
 * @param directory null for a temporary one
 * @param maxBytes of the copy, history included
 * @param historyRevisions that stay readable
 */
record MirrorSettings(List<ByteString> prefixes, boolean staleReads, Path directory, long maxBytes, long historyRevisions) {}
