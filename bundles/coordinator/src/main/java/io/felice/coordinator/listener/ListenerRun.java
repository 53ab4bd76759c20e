package io.felice.coordinator.listener;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.extension.Extension;
import io.felice.api.group.Groups;
import io.felice.api.listener.ReceivedRecord;
import io.felice.api.listener.RecordListener;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partitions;
import io.felice.api.status.Trouble;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One listener while it runs, on a thread of its own: fetches records, passes them to the listener, and commits offsets.
 * The listener is called on threads of its plugin. Fields that are not volatile belong to the thread of the run.
 */
final class ListenerRun {
    private static final Logger log = LoggerFactory.getLogger(ListenerRun.class);
    private static final int HEARTBEAT_MS = 3_000;
    private static final int COMMIT_EVERY_MS = 1_000;
    private static final int ANSWER_MS = 90_000;
    private static final int FAREWELL_MS = 5_000;
    private static final int IDLE_MS = 200;
    private static final int FIRST_RETRY_MS = 100;
    private static final int LONGEST_RETRY_MS = 5_000;
    private static final int FAILURES_OF_NODE = 10;
    private static final int PAUSE_MS = 60_000;
    private static final Duration FETCH_WAIT = Duration.ofMillis(500);

    private final Extension<RecordListener> listener;
    private final ListenedTopics wanted;
    private final Partitions partitions;
    private final ClusterMetadata metadata;
    private final Supplier<ListenerSettings> settings;
    private final GroupMembership group;
    private final ScheduledFuture<?> heartbeats;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final CompletableFuture<Void> ended = new CompletableFuture<>();

    private final Map<TopicPartition, Long> positions = new HashMap<>();
    private final Map<TopicPartition, Long> toCommit = new HashMap<>();
    private Map<String, Integer> joinedFor = Map.of();
    private long committedAt = System.nanoTime();
    private int failuresInARow;
    private int nodeFailuresInARow;

    private final AtomicLong records = new AtomicLong();
    private final AtomicLong failures = new AtomicLong();
    private volatile int assigned;
    private volatile String failure = "";
    private volatile boolean paused;
    /** Why the node cannot give records to the listener; empty if it can. */
    private volatile String unserved = "";

    ListenerRun(
            Extension<RecordListener> listener,
            Groups groups,
            Partitions partitions,
            ClusterMetadata metadata,
            Supplier<ListenerSettings> settings,
            ScheduledExecutorService timer) {
        this.listener = listener;
        this.wanted = ListenedTopics.of(listener.name(), listener.properties());
        this.partitions = partitions;
        this.metadata = metadata;
        this.settings = settings;
        this.group = new GroupMembership(
                groups, metadata, wanted.group(), "felice-listener-" + listener.name(), this::answer);
        this.heartbeats =
                timer.scheduleWithFixedDelay(group::heartbeat, HEARTBEAT_MS, HEARTBEAT_MS, TimeUnit.MILLISECONDS);
    }

    /** Starts when the run before it has ended. */
    void start(CompletionStage<Void> before) {
        before.whenComplete((nothing, failed) -> {
            Thread thread = new Thread(this::run, "felice-listener-" + listener.name());
            thread.setDaemon(true);
            thread.start();
        });
    }

    /**
     * Commits, leaves the group and ends. Waits a few seconds for a record that the listener is receiving.
     *
     * @return completes when the run has ended
     */
    CompletableFuture<Void> close() {
        closing.countDown();
        return ended;
    }

    Extension<RecordListener> listener() {
        return listener;
    }

    private boolean isClosing() {
        return closing.getCount() == 0;
    }

    private void run() {
        try {
            while (!isClosing()) {
                step();
            }
        } finally {
            heartbeats.cancel(false);
            try {
                commit();
                group.leave();
            } catch (FeliceException late) {
                log.info("The record listener {} has not left its group: {}", listener.name(), late.getMessage());
            }
            ended.complete(null);
        }
    }

    private void step() {
        try {
            Map<String, Integer> topics = wanted.in(metadata.view());
            if (group.mustJoin() || !topics.equals(joinedFor)) {
                join(topics);
            }
            if (positions.isEmpty()) {
                rest(IDLE_MS);
            } else {
                receive();
            }
            commitIfDue();
            nodeFailuresInARow = 0;
            unserved = "";
        } catch (FeliceException failed) {
            unserved(failed.getMessage(), failed.code() == ErrorCode.REBALANCE_IN_PROGRESS);
        } catch (RuntimeException | Error unexpected) {
            if (unserved.isEmpty()) {
                log.warn("The record listener {} gets no records", listener.name(), unexpected);
            }
            unserved(unexpected.toString(), false);
        }
    }

    private void unserved(String why, boolean isUsual) {
        if (!isClosing()) {
            nodeFailuresInARow++;
            unserved = isUsual || nodeFailuresInARow < FAILURES_OF_NODE ? "" : why;
            log.debug("The record listener {} gets no records: {}", listener.name(), why);
            rest(Math.min(LONGEST_RETRY_MS, (long) FIRST_RETRY_MS << Math.min(nodeFailuresInARow, 10)));
        }
    }

    private void join(Map<String, Integer> topics) {
        commit();
        positions.clear();
        toCommit.clear();
        assigned = 0;
        group.joinAgain();
        List<TopicPartition> mine = group.join(topics.keySet());
        Map<TopicPartition, Long> committed = group.committed(mine);
        Map<TopicPartition, Long> starts = new HashMap<>();
        for (TopicPartition partition : mine) {
            long offset = committed.get(partition);
            starts.put(partition, offset >= 0 ? offset : start(partition));
        }
        positions.putAll(starts);
        // The first position is kept, so that a listener that begins at the end misses nothing after its first record.
        committed.forEach((partition, offset) -> {
            if (offset < 0) {
                toCommit.put(partition, starts.get(partition));
            }
        });
        joinedFor = topics;
        assigned = mine.size();
        commit();
    }

    private long start(TopicPartition id) {
        Partition partition = partitions.leader(id);
        return wanted.fromLatest() ? partition.highWatermark() : partition.logStartOffset();
    }

    private void receive() {
        List<FetchPlan.Want> wants = new ArrayList<>();
        int mostBytes = settings.get().listener_queue_bytes();
        positions.forEach((partition, offset) -> wants.add(new FetchPlan.Want(partition, offset, mostBytes, -1, -1)));
        List<FetchedBatches> batches = copies(partitions.fetch(new FetchPlan(wants, 1, mostBytes, FETCH_WAIT, false)));
        for (FetchedBatches some : batches) {
            if (!deliver(some)) {
                return;
            }
        }
    }

    private List<FetchedBatches> copies(CompletionStage<List<FetchedPartition>> fetch) {
        List<FetchedPartition> fetched;
        try {
            fetched = answer(fetch);
        } catch (FeliceException late) {
            fetch.thenAccept(all -> all.forEach(one -> one.records().close()));
            throw late;
        }
        List<FetchedBatches> copies = new ArrayList<>();
        Set<ErrorCode> errors = new HashSet<>();
        for (FetchedPartition one : fetched) {
            try {
                if (one.error() == ErrorCode.NONE && one.records().sizeInBytes() > 0) {
                    copies.add(new FetchedBatches(one.partition(), one.records()));
                } else if (one.error() == ErrorCode.OFFSET_OUT_OF_RANGE) {
                    begin(one.partition());
                } else if (one.error() != ErrorCode.NONE) {
                    errors.add(one.error());
                }
            } finally {
                one.records().close();
            }
        }
        if (copies.isEmpty() && !errors.isEmpty()) {
            throw errors.iterator().next().because("partitions cannot be read: " + errors);
        }
        return copies;
    }

    private void begin(TopicPartition partition) {
        long start = start(partition);
        log.warn(
                "The record listener {} has committed offset {} of {}, which is not there any more: it goes on at {}",
                listener.name(),
                positions.get(partition),
                partition,
                start);
        moveTo(partition, start);
    }

    private void moveTo(TopicPartition partition, long offset) {
        positions.put(partition, offset);
        toCommit.put(partition, offset);
    }

    private boolean deliver(FetchedBatches batches) {
        TopicPartition partition = batches.partition();
        ListenerSettings now = settings.get();
        return batches.read(
                positions.get(partition),
                now.listener_queue_records(),
                now.listener_queue_bytes(),
                (some, nextOffset) -> deliver(partition, some, nextOffset));
    }

    /** Calls the listener until it has received all of the records. */
    private boolean deliver(TopicPartition partition, List<ReceivedRecord> some, long nextOffset) {
        int done = 0;
        while (done < some.size()) {
            if (isClosing() || group.mustJoin()) {
                return false;
            }
            Attempt attempt = new Attempt(some, done);
            Throwable failed = attempt.made();
            if (attempt.done() > done) {
                records.addAndGet(attempt.done() - done);
                done = attempt.done();
                moveTo(partition, some.get(done - 1).offset() + 1);
                failuresInARow = 0;
            }
            if (failed == null) {
                worked();
            } else {
                failed(some.get(Math.min(done, some.size() - 1)), failed);
            }
            commitIfDue();
        }
        moveTo(partition, nextOffset);
        commitIfDue();
        return true;
    }

    private void worked() {
        if (paused) {
            log.info("The record listener {} goes on", listener.name());
        }
        paused = false;
        failure = "";
    }

    private void failed(ReceivedRecord record, Throwable failed) {
        if (isClosing()) {
            return;
        }
        failures.incrementAndGet();
        failuresInARow++;
        failure = "offset " + record.offset() + " of " + record.partition() + " was not received: "
                + (failed instanceof FeliceException told ? told.getMessage() : failed.toString());
        boolean isPause = failuresInARow >= settings.get().listener_failures_max();
        if (isPause && !paused) {
            paused = true;
            log.error(
                    "The record listener {} ({}) is paused, because it has failed {} times in a row; it is tried again"
                            + " once a minute: {}",
                    listener.name(),
                    listener.provider(),
                    failuresInARow,
                    failure,
                    failed);
        }
        sleep(
                isPause
                        ? PAUSE_MS
                        : Math.min(LONGEST_RETRY_MS, (long) FIRST_RETRY_MS << Math.min(failuresInARow - 1, 10)));
    }

    /** Waits, and commits meanwhile. Ends early if the run is being closed or the group rebalances. */
    private void sleep(long ms) {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ms);
        while (!isClosing() && !group.mustJoin() && System.nanoTime() < end) {
            rest(Math.min(IDLE_MS, TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime()) + 1));
            commitIfDue();
        }
    }

    /** Waits. Ends early if the run is being closed. */
    private void rest(long ms) {
        try {
            closing.await(ms, TimeUnit.MILLISECONDS);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            closing.countDown();
        }
    }

    private void commitIfDue() {
        if (System.nanoTime() - committedAt >= TimeUnit.MILLISECONDS.toNanos(COMMIT_EVERY_MS)) {
            commit();
        }
    }

    private void commit() {
        if (!toCommit.isEmpty() && assigned > 0) {
            group.commit(Map.copyOf(toCommit)).forEach(toCommit::remove);
        }
        committedAt = System.nanoTime();
    }

    /** Waits for an answer of the node. */
    private <T> T answer(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(isClosing() ? FAREWELL_MS : ANSWER_MS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException failed) {
            Throwable cause = FeliceException.unwrap(failed.getCause());
            throw cause instanceof FeliceException expected
                    ? expected
                    : new IllegalStateException("the node has not answered", cause);
        } catch (TimeoutException late) {
            throw ErrorCode.REQUEST_TIMED_OUT.because("the node has not answered within " + ANSWER_MS + " ms");
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            closing.countDown();
            throw ErrorCode.REQUEST_TIMED_OUT.because("the listener stops");
        }
    }

    /** One call of the listener, with some records. It is over when the plugin's thread has come back. */
    private final class Attempt {
        private static final int NEW = 0;
        private static final int BEGUN = 1;
        private static final int OVER = 2;

        private final List<ReceivedRecord> some;
        private final AtomicInteger done;
        private final AtomicInteger state = new AtomicInteger(NEW);
        private final CountDownLatch isBack = new CountDownLatch(1);
        private volatile boolean isLate;

        Attempt(List<ReceivedRecord> some, int done) {
            this.some = some;
            this.done = new AtomicInteger(done);
        }

        int done() {
            return done.get();
        }

        /** @return why it failed; null if the listener has received all records */
        Throwable made() {
            try {
                listener.calls()
                        .call("received()", settings.get().listener_timeout_ms(), this::receive)
                        .get();
                return null;
            } catch (ExecutionException failed) {
                isLate = true;
                if (!state.compareAndSet(NEW, OVER)) {
                    awaitReturn();
                }
                return FeliceException.unwrap(failed.getCause());
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
                closing.countDown();
                return stopped;
            }
        }

        private boolean receive() throws Exception {
            if (!state.compareAndSet(NEW, BEGUN)) {
                return false;
            }
            try {
                RecordListener service = listener.service();
                for (int i = done.get(); i < some.size() && !isLate && !isClosing(); i++) {
                    service.received(some.get(i));
                    done.set(i + 1);
                }
                return true;
            } finally {
                isBack.countDown();
            }
        }

        /** No record is received again while the listener still is in it. */
        private void awaitReturn() {
            try {
                long since = System.nanoTime();
                while (!isBack.await(IDLE_MS, TimeUnit.MILLISECONDS)) {
                    if (isClosing() && System.nanoTime() - since > TimeUnit.MILLISECONDS.toNanos(FAREWELL_MS)) {
                        return;
                    }
                }
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
                closing.countDown();
            }
        }
    }

    Optional<Trouble> trouble() {
        String subject = "The record listener " + listener.name() + " (" + listener.provider() + ") ";
        if (paused) {
            return Optional.of(Trouble.inPart(subject + "is paused, because it fails: " + failure
                    + ". It is tried again once a minute, and when its bundle is updated"));
        }
        return unserved.isEmpty()
                ? Optional.empty()
                : Optional.of(Trouble.inPart(subject + "gets no records: " + unserved));
    }

    List<Object> row() {
        return List.of(
                listener.name(),
                listener.provider(),
                wanted.group(),
                records.get(),
                failures.get(),
                (long) assigned,
                paused,
                failure);
    }
}
