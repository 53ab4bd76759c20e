package io.felice.api.storage;

/**
 * Where an engine keeps its logs, as Kafka's tools show it.
 *
 * @param logDir {@code log:/var/lib/felice/log}, {@code memory:}
 * @param totalBytes size of the volume, -1 if it has none
 * @param usableBytes what is free on it, -1 if it has no limit. An append that fails while next to nothing is free, or
 *     less than the batch has, is taken for a lack of room and not for a failed device: the engine's logs are opened
 *     again, read and trimmed, and appended to when there is room
 */
public record Volume(String logDir, long totalBytes, long usableBytes) {}
