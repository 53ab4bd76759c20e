/** What an operator types and reads, without a shell: rows, JSON, the words of rights and quotas. {@code bin/felice} uses it too. */
package io.felice.shell.text;
