/** What should exist on Kubernetes, as pure functions of the specification: no client, no clock, no randomness. */
package io.kvorum.operator.desired;
