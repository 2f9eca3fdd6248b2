/**
 * The key index: which revisions each key has, in key order. A copy-on-write B+tree; one writer, any number of readers on published roots. It holds no
 * values and does no I/O.
 */
package io.kvorum.mvcc.index;
