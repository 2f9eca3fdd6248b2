/** What those who run a member ask of it: a description, and taking files and options anew. */
package io.kvorum.server.admin;
