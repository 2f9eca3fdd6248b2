/** Users of the store for the workloads that carry an agent: who may have what, and what is done about it. Pure. */
package io.kvorum.operator.workload;
