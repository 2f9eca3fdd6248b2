/** Moments that cron expressions name. Pure. */
package io.kvorum.operator.schedule;
