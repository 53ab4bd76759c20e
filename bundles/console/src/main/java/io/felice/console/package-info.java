/** The server of the web console. */
package io.felice.console;
