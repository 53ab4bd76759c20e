/** The felice:* commands of the Karaf shell. */
package io.felice.shell;
