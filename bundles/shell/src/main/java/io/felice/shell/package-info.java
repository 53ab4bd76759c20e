/** The felice:* commands of the Karaf shell, and the health of the node. */
package io.felice.shell;
