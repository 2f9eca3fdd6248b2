/** Backups: the member's side (a frozen state that a caller reads), the run that ships it to a repository, and what makes a data directory of it again. */
package io.kvorum.server.backup;
