/** Members as pods, through the Kubernetes API. */
package io.kvorum.operator.runtime.kubernetes;
