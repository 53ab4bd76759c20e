package io.felice.replication;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.ClusterView;
import io.felice.api.partition.FollowedPartition;
import io.felice.api.partition.FollowedPartition.Fetched;
import io.felice.api.partition.Partition.EpochEnd;
import io.felice.protocol.CompactedTo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.kafka.clients.ClientResponse;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.ReplicaState;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.FetchableTopicResponse;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsTopicResponse;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.apache.kafka.common.requests.ListOffsetsResponse;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fetches from one leader what this broker follows of it: one thread, one connection, one fetch session. When the broker
 * has appended what an answer brought, the next request acknowledges it. A partition that fails, or whose append takes
 * long, is left out of the requests until it can go on, so that it holds up no other.
 *
 * <p>The leader may keep a request for half a second, and a partition whose leader has just changed must not wait for
 * that: acknowledgements of producers wait for it. Such a newcomer is fetched by a second fetcher, which asks again and
 * again, until the first one has its answer and takes the newcomer over.
 */
final class Fetcher {
    private static final Logger log = LoggerFactory.getLogger(Fetcher.class);

    /** How long the next request waits for the appends of the last answer. */
    private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    /**
     * How long the leader may wait for records while an append is under way, which the request after has to tell it, and
     * while a successor waits for the partitions.
     */
    private static final int SHORT_WAIT_MS = 10;

    /** What has failed more often in a row is no newcomer. */
    private static final int MOST_IMPATIENT = 5;

    private static final long LONGEST_POLL_MS = 500;
    private static final long TRIM_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final int leader;
    private final String purpose;
    private final FetchEnvironment environment;
    /** The fetcher that takes the partitions over; null if this one keeps them. */
    private final Fetcher successor;

    private final PeerStatus status;
    private final FetchProgress progress;
    private final Worker worker;
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private volatile PeerClient client;

    // Used by the worker's thread only.
    private final Map<TopicPartition, FetchTarget> targets = new HashMap<>();
    private final LeaderSession session = new LeaderSession();
    private final PriorityQueue<FetchTarget> retries =
            new PriorityQueue<>(Comparator.comparingLong((FetchTarget target) -> target.retryNanos));
    private final List<FetchTarget> outOfRange = new ArrayList<>();
    private final AnswerMemory memory = new AnswerMemory();
    private PeerAddress address;
    private ClusterView connectedView;
    private PeerIdentity connectedIdentity;
    private boolean isInFlight;
    private int busy;
    private long answeredNanos = System.nanoTime();
    /** Fetches what came while a request of this fetcher was under way. */
    private final Newcomers newcomers = new Newcomers(this::ofNewcomers);
    /** True if the successor waits for the partitions. */
    private boolean isGiving;

    Fetcher(int leader, int number, FetchEnvironment environment) {
        this(leader, "fetch-" + number, environment, null);
    }

    private Fetcher(int leader, String purpose, FetchEnvironment environment, Fetcher successor) {
        this.leader = leader;
        this.purpose = purpose;
        this.environment = environment;
        this.successor = successor;
        this.status = new PeerStatus(leader, purpose);
        this.progress = new FetchProgress(leader, purpose);
        this.worker = new Worker("felice-replication-" + purpose + "-from-" + leader, this::work, this::end);
    }

    /** The memory for answers, in bytes. */
    long memoryBytes() {
        return memory.bytes();
    }

    PeerStatus status() {
        return status;
    }

    FetchProgress progress() {
        return progress;
    }

    void start() {
        worker.start();
    }

    /** Any thread. */
    void following(FollowedPartition partition) {
        following(partition, 0);
    }

    /** @param failures how often in a row the partition has failed at the fetcher that had it before */
    private void following(FollowedPartition partition, int failures) {
        onThread(() -> begin(partition, failures));
    }

    /** Any thread. */
    void ended(FollowedPartition partition) {
        onThread(() -> drop(partition));
    }

    /** This one, and the one for newcomers if there is one. Any thread. */
    Stream<Fetcher> all() {
        Fetcher others = newcomers.fetcher();
        return others == null ? Stream.of(this) : Stream.of(this, others);
    }

    /** Ends the thread and the connection soon. Any thread. */
    void stop() {
        worker.stop();
        wakeup();
    }

    boolean hasEnded() {
        return worker.hasEnded();
    }

    /** Waits for that. */
    void join() {
        worker.join();
    }

    /** Gives all partitions to the successor as soon as possible. Any thread. */
    void giveBack() {
        onThread(() -> isGiving = true);
    }

    private void onThread(Runnable task) {
        tasks.add(task);
        wakeup();
    }

    private void wakeup() {
        PeerClient current = client;
        if (current != null) {
            current.wakeup();
        }
        worker.wakeup();
    }

    // ---- the worker's thread

    private void work() {
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
        }
        retry();
        give();
        long pollMs = isInFlight ? sendNewcomersAhead() : request();
        progress.partitions(targets.size(), session.partitions().size());
        if (client == null) {
            worker.await(pollMs);
        } else {
            client.poll(untilRetry(pollMs));
        }
    }

    private void begin(FollowedPartition partition, int failures) {
        if (!partition.isFollowing()) {
            return;
        }
        FetchTarget target = new FetchTarget(partition);
        target.failures = failures;
        FetchTarget before = targets.put(partition.id(), target);
        if (before != null) {
            end(before);
        }
        session.put(target);
    }

    private void drop(FollowedPartition partition) {
        FetchTarget target = targets.get(partition.id());
        if (target != null && target.partition == partition) {
            targets.remove(partition.id());
            end(target);
        }
        Fetcher others = newcomers.fetcher();
        if (others != null) {
            others.ended(partition);
        }
    }

    private void end(FetchTarget target) {
        target.isOver = true;
        session.remove(target);
        retries.remove(target);
        outOfRange.remove(target);
    }

    private void retry() {
        long now = System.nanoTime();
        while (!retries.isEmpty() && now - retries.peek().retryNanos >= 0) {
            session.put(retries.poll());
        }
    }

    private long untilRetry(long pollMs) {
        return retries.isEmpty()
                ? pollMs
                : Math.min(
                        pollMs,
                        Math.max(0, 1 + TimeUnit.NANOSECONDS.toMillis(retries.peek().retryNanos - System.nanoTime())));
    }

    // ---- newcomers

    /** @return how long to wait for what comes next, in milliseconds */
    private long sendNewcomersAhead() {
        List<FetchTarget> impatient = successor == null ? session.impatient() : List.of();
        long left = newcomers.patience(!impatient.isEmpty());
        if (left > 0) {
            return left;
        }
        for (FetchTarget target : impatient) {
            targets.remove(target.partition.id());
            end(target);
            newcomers.fetcher().following(target.partition, target.failures);
        }
        return LONGEST_POLL_MS;
    }

    private Fetcher ofNewcomers() {
        return new Fetcher(leader, purpose + "-new", environment, this);
    }

    /** Gives the partitions to the successor, which waits for that; those that are being appended come later. */
    private void give() {
        if (!isGiving || isInFlight) {
            return;
        }
        isGiving = false;
        for (FetchTarget target : List.copyOf(targets.values())) {
            if (!target.isBusy) {
                targets.remove(target.partition.id());
                end(target);
                successor.following(target.partition, target.failures);
            }
        }
        boolean isLast = targets.isEmpty();
        if (isLast) {
            worker.stop();
        }
        successor.onThread(() -> successor.newcomers.taken(isLast));
    }

    // ---- requests

    /** Sends the next request if it can be sent. @return how long to wait for what comes next, in milliseconds */
    private long request() {
        if (newcomers.areComingBack()) {
            return LONGEST_POLL_MS;
        }
        if (session.isEmpty() && outOfRange.isEmpty()) {
            if (System.nanoTime() - answeredNanos > TRIM_NANOS) {
                memory.trim();
            }
            return LONGEST_POLL_MS;
        }
        long patience = answeredNanos + PATIENCE_NANOS - System.nanoTime();
        if (busy > 0 && patience > 0) {
            return 1 + TimeUnit.NANOSECONDS.toMillis(patience);
        }
        if (!isConnected()) {
            return address == null || client == null
                    ? LONGEST_POLL_MS / 10
                    : Math.max(1, Math.min(LONGEST_POLL_MS, client.delayMs(address.node())));
        }
        if (outOfRange.isEmpty()) {
            fetch();
        } else {
            new RangeQuestion(List.copyOf(outOfRange)).ask();
        }
        return LONGEST_POLL_MS;
    }

    private boolean isConnected() {
        try {
            connect();
        } catch (FeliceException unknown) {
            status.away(unknown.getMessage());
            return false;
        } catch (IOException | KafkaException unusable) {
            status.refused(Sentences.of(unusable));
            return false;
        }
        if (client.isReady(address.node())) {
            status.connected();
            return true;
        }
        AuthenticationException refusal = client.refusal(address.node());
        if (refusal != null) {
            status.refused(Sentences.of(refusal));
        } else if (client.hasFailed(address.node())) {
            status.away("Broker " + leader + " cannot be reached at " + address);
        }
        return false;
    }

    private void connect() throws IOException {
        ClusterView view = environment.metadata().view();
        PeerIdentity identity = environment.identity().get();
        if (client != null && view == connectedView && identity == connectedIdentity) {
            return;
        }
        PeerAddress now = environment.addresses().of(leader);
        boolean isAnother = client != null && (!client.isFor(identity, now) || !now.equals(address));
        if (isAnother) {
            client.close();
            client = null;
            session.restart();
        }
        address = now;
        if (client == null) {
            client = new PeerClient("felice-fetch", identity, now, 1, memory, environment.clusterId());
        }
        status.connecting(now);
        connectedView = view;
        connectedIdentity = identity;
    }

    private void fetch() {
        leaveOutBusy();
        if (session.isEmpty()) {
            return;
        }
        FetchLimits limits = environment.limits().get();
        FetchRequestData data = new FetchRequestData()
                .setReplicaState(new ReplicaState()
                        .setReplicaId(environment.brokerId())
                        .setReplicaEpoch(environment.brokerEpoch()))
                .setMaxWaitMs(
                        busy > 0 || successor != null ? Math.min(SHORT_WAIT_MS, limits.waitMs()) : limits.waitMs())
                .setMinBytes(limits.minBytes())
                .setMaxBytes(limits.answerBytes());
        session.fill(data, limits.partitionBytes());
        client.send(address.node(), Requests.fetch(data), limits.waitMs() + limits.timeoutMs(), this::fetched);
        sent();
    }

    /** What is still being appended is not acknowledged yet, and its records are not asked for again. */
    private void leaveOutBusy() {
        if (busy > 0) {
            memory.abandon();
            for (FetchTarget target : targets.values()) {
                if (target.isBusy) {
                    target.isPatient = true;
                    session.remove(target);
                }
            }
        }
    }

    private void sent() {
        isInFlight = true;
        newcomers.requestSent();
        status.inFlight(1);
    }

    // ---- answers

    private boolean isAnswered(ClientResponse response) {
        isInFlight = false;
        answeredNanos = System.nanoTime();
        status.inFlight(0);
        if (response.hasResponse()) {
            return true;
        }
        session.restart();
        if (response.versionMismatch() != null) {
            status.away("Broker " + leader + " is too old for this one: "
                    + response.versionMismatch().getMessage());
        } else {
            status.away("The connection to broker " + leader + " ended");
        }
        return false;
    }

    private void fetched(ClientResponse response) {
        if (!isAnswered(response)) {
            return;
        }
        FetchResponseData answer = ((FetchResponse) response.responseBody()).data();
        ErrorCode error = ErrorCode.of(answer.errorCode());
        if (error != ErrorCode.NONE) {
            failed(error);
            return;
        }
        session.answered(answer);
        long bytes;
        busy++; // the memory of the answer is in use until all of its partitions are taken
        try {
            bytes = take(answer);
        } finally {
            busy--;
        }
        status.answered(bytes);
        progress.fetched(bytes, session.partitions());
        reclaim();
    }

    /** @return the bytes of records in the answer */
    private long take(FetchResponseData answer) {
        long bytes = 0;
        for (FetchableTopicResponse topic : answer.responses()) {
            for (PartitionData data : topic.partitions()) {
                FetchTarget target = session.asked(topic.topicId(), data.partitionIndex());
                if (target != null && !target.isBusy) {
                    bytes += bytes(data.records());
                    take(target, data);
                }
            }
        }
        return bytes;
    }

    private void failed(ErrorCode error) {
        status.failed("Broker " + leader + " answered " + error);
        boolean isOfSession = error == ErrorCode.FETCH_SESSION_ID_NOT_FOUND
                || error == ErrorCode.INVALID_FETCH_SESSION_EPOCH
                || error == ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR;
        session.restart();
        if (!isOfSession) {
            List.copyOf(session.partitions()).forEach(target -> retreat(target, error, "the whole request failed"));
        }
    }

    private void take(FetchTarget target, PartitionData data) {
        ErrorCode error = ErrorCode.of(data.errorCode());
        if (error == ErrorCode.OFFSET_OUT_OF_RANGE) {
            session.remove(target);
            outOfRange.add(target);
        } else if (error != ErrorCode.NONE) {
            retreat(target, error, "the leader answered");
        } else if (FetchResponse.isDivergingEpoch(data)) {
            EpochEnd leaders = new EpochEnd(
                    data.divergingEpoch().epoch(), data.divergingEpoch().endOffset());
            target.leaderHighWatermark = data.highWatermark();
            run(target, () -> target.partition.truncate(leaders));
        } else {
            ByteBuffer records =
                    data.records() instanceof MemoryRecords memory ? memory.buffer() : MemoryRecords.EMPTY.buffer();
            target.leaderHighWatermark = data.highWatermark();
            target.takenBytes = records.remaining();
            if (records.hasRemaining()) {
                session.served(target);
            }
            run(
                    target,
                    () -> target.partition.append(
                            new Fetched(data.logStartOffset(), data.highWatermark(), records, CompactedTo.read(data))));
        }
    }

    private static long bytes(BaseRecords records) {
        return records == null ? 0 : records.sizeInBytes();
    }

    private void run(FetchTarget target, Supplier<CompletionStage<Void>> change) {
        target.isBusy = true;
        busy++;
        CompletableFuture<Void> changed = begun(change);
        if (changed.isDone()) {
            changed.whenComplete((nothing, failure) -> changed(target, failure));
        } else {
            changed.whenComplete((nothing, failure) -> onThread(() -> changed(target, failure)));
        }
    }

    private static CompletableFuture<Void> begun(Supplier<CompletionStage<Void>> change) {
        try {
            return change.get().toCompletableFuture();
        } catch (RuntimeException failure) {
            return CompletableFuture.failedFuture(failure);
        }
    }

    private void changed(FetchTarget target, Throwable failure) {
        target.isBusy = false;
        busy--;
        if (failure != null) {
            memory.abandon(); // the append failed for the caller, and may still be under way
        }
        if (!target.isOver) {
            if (failure != null) {
                failed(target, FeliceException.unwrap(failure));
            } else {
                target.failures = 0;
                long wait = environment.throttle().waitAfter(target.partition.id(), target.takenBytes);
                target.takenBytes = 0;
                target.isPatient |= wait > 0;
                if (wait > 0) {
                    leaveOut(target, wait);
                } else if (!session.has(target) || target.isChanged()) {
                    session.put(target);
                }
            }
        }
        reclaim();
    }

    private void reclaim() {
        if (busy == 0) {
            memory.reclaim();
        }
    }

    // ---- failures

    private void failed(FetchTarget target, Throwable failure) {
        if (!target.partition.isFollowing()) {
            session.remove(target);
            log.info("{} is fetched no longer: {}", target, failure.getMessage());
        } else if (failure instanceof FeliceException expected) {
            retreat(target, expected.code(), expected.getMessage());
        } else {
            log.error(
                    "{} cannot append what was fetched at offset {}", target, target.partition.fetchOffset(), failure);
            retreat(target, ErrorCode.UNKNOWN_SERVER_ERROR, String.valueOf(failure.getMessage()));
        }
    }

    /** Leaves the partition out of the requests for a while, which is the longer the more often it fails. */
    private void retreat(FetchTarget target, ErrorCode error, String fact) {
        target.failures++;
        target.isPatient |= target.failures > MOST_IMPATIENT;
        leaveOut(target, environment.limits().get().backoffNanos(target.failures));
        boolean isOfData = error == ErrorCode.CORRUPT_MESSAGE || error == ErrorCode.KAFKA_STORAGE_ERROR;
        boolean isNews = isOfData ? Integer.bitCount(target.failures) == 1 : target.failures == 10;
        String sentence = target + " at offset " + target.partition.fetchOffset() + ": " + error + ", " + fact;
        status.failed(sentence);
        if (isNews) {
            log.warn("{}. It is tried again, for the {}. time", sentence, target.failures);
        }
    }

    private void leaveOut(FetchTarget target, long nanos) {
        session.remove(target);
        target.retryNanos = System.nanoTime() + nanos;
        retries.add(target);
    }

    /** Asks for the start and the end of the leader's logs, one after the other. */
    private final class RangeQuestion {
        private final List<FetchTarget> asked;
        private final Map<TopicPartition, Long> starts = new HashMap<>();

        RangeQuestion(List<FetchTarget> asked) {
            this.asked = asked;
            outOfRange.clear();
        }

        void ask() {
            send(ListOffsetsRequest.EARLIEST_TIMESTAMP);
        }

        private void send(long timestamp) {
            client.send(
                    address.node(),
                    Requests.listOffsets(environment.brokerId(), asked, timestamp),
                    environment.limits().get().timeoutMs(),
                    response -> answered(response, timestamp == ListOffsetsRequest.EARLIEST_TIMESTAMP));
            sent();
        }

        private void answered(ClientResponse response, boolean hasStarts) {
            if (!isAnswered(response)) {
                asked.stream()
                        .filter(target -> !target.isOver)
                        .forEach(target -> retreat(target, ErrorCode.NETWORK_EXCEPTION, "the connection ended"));
                return;
            }
            for (ListOffsetsTopicResponse topic : ((ListOffsetsResponse) response.responseBody()).topics()) {
                for (ListOffsetsPartitionResponse partition : topic.partitions()) {
                    take(new TopicPartition(topic.name(), partition.partitionIndex()), partition, hasStarts);
                }
            }
            if (hasStarts && !starts.isEmpty()) {
                send(ListOffsetsRequest.LATEST_TIMESTAMP);
            }
        }

        private void take(TopicPartition id, ListOffsetsPartitionResponse answer, boolean isStart) {
            FetchTarget target = targets.get(id);
            if (target == null || target.isOver || !asked.contains(target)) {
                return;
            }
            ErrorCode error = ErrorCode.of(answer.errorCode());
            if (error != ErrorCode.NONE) {
                starts.remove(id);
                retreat(target, error, "the leader does not say where its log begins and ends");
            } else if (isStart) {
                starts.put(id, answer.offset());
            } else if (starts.containsKey(id)) {
                long start = starts.get(id);
                log.info(
                        "{} at offset {} is outside of the leader's log, which has {} to {}",
                        target,
                        target.partition.fetchOffset(),
                        start,
                        answer.offset());
                run(target, () -> target.partition.outOfRange(start, answer.offset()));
            }
        }
    }

    private void end() {
        if (client != null) {
            client.close();
            client = null;
        }
        status.idle();
        progress.partitions(0, 0);
        Fetcher others = newcomers.fetcher();
        if (others != null) {
            others.stop();
            others.join();
        }
    }
}
