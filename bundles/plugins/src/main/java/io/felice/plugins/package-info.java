/** The keeper of the directory {@code plugins/}: reads, checks, starts, watches and replaces what is in it. */
package io.felice.plugins;
