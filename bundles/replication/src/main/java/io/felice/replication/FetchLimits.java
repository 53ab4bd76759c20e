package io.felice.replication;

import java.util.concurrent.TimeUnit;

/**
 * How records are fetched, under Kafka's names.
 *
 * @param fetchers {@code num.replica.fetchers}: threads and connections for each leader
 * @param partitionBytes {@code replica.fetch.max.bytes}: the most bytes of one partition in an answer, apart from a batch
 *     that is larger
 * @param answerBytes {@code replica.fetch.response.max.bytes}: the most bytes of an answer, likewise
 * @param waitMs {@code replica.fetch.wait.max.ms}: how long the leader may wait for records
 * @param minBytes {@code replica.fetch.min.bytes}: for how many bytes it waits
 * @param backoffMs {@code replica.fetch.backoff.ms}: the longest pause after a failure
 * @param timeoutMs {@code replica.socket.timeout.ms}: an answer that takes longer ends the connection
 */
record FetchLimits(
        int fetchers, int partitionBytes, int answerBytes, int waitMs, int minBytes, int backoffMs, int timeoutMs) {
    private static final long FIRST_BACKOFF_MS = 10;

    static FetchLimits of(Replication.Config config) {
        return new FetchLimits(
                config.num_replica_fetchers(),
                config.replica_fetch_max_bytes(),
                config.replica_fetch_response_max_bytes(),
                config.replica_fetch_wait_max_ms(),
                config.replica_fetch_min_bytes(),
                config.replica_fetch_backoff_ms(),
                config.replica_socket_timeout_ms());
    }

    /** The pause after so many failures in a row. The first is short: a new leader may know of its epoch a moment later. */
    long backoffNanos(int failures) {
        long ms = Math.min(backoffMs, FIRST_BACKOFF_MS << Math.min(failures - 1, 20));
        return TimeUnit.MILLISECONDS.toNanos(ms);
    }
}
