/** What the operator counts of its own work. */
package io.kvorum.operator.metrics;
