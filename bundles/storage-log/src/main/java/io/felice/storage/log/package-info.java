/** The default engine: append-only segment files in Kafka's layout, with a tail in memory. */
package io.felice.storage.log;
