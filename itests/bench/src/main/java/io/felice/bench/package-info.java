/** Apache Kafka and Felice on the same machine, measured in interleaved rounds with Kafka's own client. */
package io.felice.bench;
