package io.felice.api.partition;

import io.felice.api.TopicPartition;

/**
 * A replica's log that is being moved to another storage engine of this node.
 *
 * @param from the engine that has the log, or had it
 * @param to the engine that gets the log
 * @param copiedBytes since the node started
 * @param offsetLag how many offsets the copy is behind the log
 * @param problem why it does not go on at the moment; empty if it does
 */
public record LogMove(
        TopicPartition partition,
        String from,
        String to,
        Phase phase,
        long copiedBytes,
        long offsetLag,
        String problem) {
    /** How far the move is. */
    public enum Phase {
        /** Waits for other moves, for the engine, or for the log. */
        WAITING,
        /** The copy follows the log. */
        COPYING,
        /** The copy takes the log's place. Appends wait. */
        SWITCHING,
        /** The copy is the log. The old log is being deleted. */
        REMOVING,
        /** The copy is being deleted. */
        CANCELLING
    }
}
