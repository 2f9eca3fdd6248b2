/** Certificates of the operator's own making: authorities, leaves, and the rotation of an authority. Pure but for the randomness of new keys. */
package io.kvorum.operator.certificates;
