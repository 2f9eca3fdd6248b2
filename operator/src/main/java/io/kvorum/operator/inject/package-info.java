/** What a pod that asks for an agent is given: pure functions of the pod, its cluster and the installation. */
package io.kvorum.operator.inject;
