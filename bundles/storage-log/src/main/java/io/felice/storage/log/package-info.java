/**
 * The default storage engine: append-only segment files in Kafka's layout; the newest batches of a log are also in
 * memory.
 */
package io.felice.storage.log;
