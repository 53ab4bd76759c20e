package io.felice.api.storage;

/**
 * What an engine promises.
 *
 * @param appendsWithoutBlocking true if {@code append}, {@code settle} and hot reads may run on an I/O thread
 * @param survivesKill true if what was settled is there after the process was killed
 * @param survivesPowerLoss true if what was flushed is there after the machine lost power
 * @param replacesRanges true if {@code replace} works, which compaction needs
 */
public record EngineTraits(
        boolean appendsWithoutBlocking, boolean survivesKill, boolean survivesPowerLoss, boolean replacesRanges) {}
