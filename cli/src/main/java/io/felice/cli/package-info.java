/** The command line of {@code bin/felice}: what it asks a cluster over Kafka's protocol, and the node of this machine through its socket. */
package io.felice.cli;
