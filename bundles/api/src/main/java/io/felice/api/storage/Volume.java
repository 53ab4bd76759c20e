package io.felice.api.storage;

/**
 * Where an engine keeps its logs, as Kafka's tools show it.
 *
 * @param logDir {@code log:/var/lib/felice/log}, {@code memory:}
 * @param totalBytes size of the volume, -1 if it has none
 * @param usableBytes what is free on it, -1 if it has no limit
 */
public record Volume(String logDir, long totalBytes, long usableBytes) {}
