package io.felice.wire.mqtt;

import io.felice.api.ErrorCode;
import io.felice.api.RecordHeader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The last retained message of each MQTT topic, replayed from a compacted topic. Any thread. */
final class RetainedMessages {
    private static final int OVERHEAD = 200;

    private final OwnTopic log;
    private final InstantSource clock;
    private volatile long mostBytes;
    private final Map<String, Kept> byTopic = new HashMap<>();
    private long bytes;

    private record Kept(long offset, Publication publication) {
        private int size() {
            return OVERHEAD + publication.topic().length() + publication.payload().length;
        }
    }

    RetainedMessages(OwnTopic log, InstantSource clock, long mostBytes) {
        this.log = log;
        this.clock = clock;
        this.mostBytes = mostBytes;
    }

    void limitTo(long bytes) {
        mostBytes = bytes;
    }

    /** Reads the log. Blocks. */
    void load() throws InterruptedException {
        log.replay((offset, timestamp, key, value, headers) -> {
            apply(offset, StandardCharsets.UTF_8.decode(key).toString(), bytes(value), headers);
            return true;
        });
    }

    private static byte[] bytes(ByteBuffer value) {
        if (value == null) {
            return null;
        }
        byte[] bytes = new byte[value.remaining()];
        value.duplicate().get(bytes);
        return bytes;
    }

    /**
     * Keeps the message as the last one of its topic, or none if its payload is empty. Completes when the log has it.
     * Fails with POLICY_VIOLATION if there is no room.
     */
    CompletionStage<Void> set(Publication publication) {
        byte[] value = publication.payload().length == 0 ? null : publication.payload();
        if (value != null && isFull(publication)) {
            return CompletableFuture.failedFuture(ErrorCode.POLICY_VIOLATION.because(
                    "The retained messages have " + mostBytes + " bytes already (retained.bytes)"));
        }
        return log.put(publication.topic(), value, publication.headers())
                .thenAccept(offset -> apply(offset, publication.topic(), value, publication.headers()));
    }

    private synchronized boolean isFull(Publication publication) {
        Kept before = byTopic.get(publication.topic());
        return bytes - (before == null ? 0 : before.size()) + new Kept(0, publication).size() > mostBytes;
    }

    private synchronized void apply(long offset, String topic, byte[] payload, List<RecordHeader> headers) {
        Kept before = byTopic.get(topic);
        if (before != null && before.offset > offset) {
            return;
        }
        bytes -= before == null ? 0 : before.size();
        if (payload == null) {
            byTopic.remove(topic);
            return;
        }
        Kept kept = new Kept(offset, new Publication(topic, payload, MessageHeaders.qos(headers), true, headers));
        byTopic.put(topic, kept);
        bytes += kept.size();
    }

    /** The messages for a new subscription. */
    synchronized List<Publication> matching(TopicFilter filter) {
        long now = clock.millis();
        return byTopic.values().stream()
                .map(Kept::publication)
                .filter(publication -> filter.matches(publication.topic()))
                .filter(publication -> !MessageHeaders.isExpired(publication.headers(), now))
                .toList();
    }

    synchronized int count() {
        return byTopic.size();
    }

    synchronized long bytes() {
        return bytes;
    }
}
