package io.felice.api.storage;

/**
 * The volume on which an engine keeps its logs, as Kafka's tools show it (DescribeLogDirs, KIP-827).
 *
 * @param logDir the engine and its directory, for example {@code log:/var/lib/felice/log}; {@code memory:} for an
 *     engine without a directory
 * @param totalBytes the size of the volume; -1 if the volume has no fixed size
 * @param usableBytes the free space on the volume; -1 if the volume has no limit. The broker reads the free space after
 *     a failed append. If the free space is nearly used up or is less than the size of the batch, the broker treats the
 *     failure as a lack of space and not as a failed device: it opens the engine's logs again, goes on to read and trim
 *     them, and appends again when there is space
 */
public record Volume(String logDir, long totalBytes, long usableBytes) {}
