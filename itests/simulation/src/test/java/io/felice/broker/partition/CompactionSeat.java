package io.felice.broker.partition;

import java.util.Optional;

/** Compacts logs in a simulation, in which nothing else happens meanwhile. */
public final class CompactionSeat {
    private CompactionSeat() {}

    /**
     * Compacts the log if that is worth a run. The threads of the engine must run their tasks inside the calls.
     *
     * @return false if it was not, or if the writer of the log has an operation to end first
     */
    public static boolean compact(OpenedLog log) {
        boolean isIdle =
                log.writer().executeAlone(() -> true).toCompletableFuture().isDone();
        Optional<Dirt> dirt = isIdle ? log.compaction().look() : Optional.empty();
        dirt.ifPresent(log.compaction()::run);
        return dirt.isPresent();
    }
}
