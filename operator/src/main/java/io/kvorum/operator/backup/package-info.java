/** What backups and their schedules do next. Pure: a plan follows from an observation, which holds the clock. */
package io.kvorum.operator.backup;
