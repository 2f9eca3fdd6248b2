/**
 * The services Lock and Election, which are nothing but a use of keys, leases and watches: each call is a short program that runs on a virtual thread of its own, against the
 * services of this member and in the name of its caller.
 */
package io.kvorum.server.recipe;
