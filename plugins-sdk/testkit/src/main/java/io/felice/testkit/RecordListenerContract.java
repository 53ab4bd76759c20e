package io.felice.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.felice.api.ErrorCode;
import io.felice.api.RecordHeader;
import io.felice.api.TopicPartition;
import io.felice.api.listener.ReceivedRecord;
import io.felice.api.listener.RecordAppender;
import io.felice.api.listener.RecordListener;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

/**
 * The tests that every record listener must pass. Each test checks a promise of {@link RecordListener}. A subclass makes
 * the listener; one that appends to topics also says for which record it does.
 */
public abstract class RecordListenerContract {
    private static final int LIMIT_SECONDS = 10;
    private static final int A_WHILE_MS = 200;
    private static final int LARGE_BYTES = 900_000;

    /** A fresh listener. */
    protected abstract RecordListener listener(RecordAppender appender);

    /** A record that the listener can use. */
    protected ReceivedRecord usual() {
        return record(0, "key".getBytes(UTF_8), "value".getBytes(UTF_8), List.of());
    }

    /** A record for which the listener appends at least one record; null if it never appends. */
    protected abstract ReceivedRecord appended();

    private static ReceivedRecord record(long offset, byte[] key, byte[] value, List<RecordHeader> headers) {
        return new ReceivedRecord(new TopicPartition("orders", 0), offset, 1_700_000_000_000L, key, value, headers);
    }

    /** A topic in memory. */
    private static final class Appended implements RecordAppender {
        private final List<String> values = Collections.synchronizedList(new ArrayList<>());
        private volatile boolean fails;
        private volatile CompletableFuture<Place> waits;

        @Override
        public CompletionStage<Place> append(
                String topic, int partition, byte[] key, byte[] value, List<RecordHeader> headers) {
            if (fails) {
                return CompletableFuture.failedFuture(ErrorCode.REQUEST_TIMED_OUT.because("The disk is slow."));
            }
            values.add(topic + ":" + (value == null ? "-" : new String(value, UTF_8)));
            Place place = new Place(new TopicPartition(topic, Math.max(0, partition)), values.size() - 1);
            return waits == null ? CompletableFuture.completedFuture(place) : waits.thenApply(done -> place);
        }
    }

    private static CompletableFuture<Void> begin(RecordListener listener, ReceivedRecord record) {
        CompletableFuture<Void> received = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                listener.received(record);
                received.complete(null);
            } catch (Throwable thrown) {
                received.completeExceptionally(thrown);
            }
        });
        thread.setDaemon(true);
        thread.start();
        return received;
    }

    private static void receive(RecordListener listener, ReceivedRecord record) {
        try {
            begin(listener, record).get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException thrown) {
            fail("received(" + record + ") has thrown", thrown.getCause());
        } catch (TimeoutException | InterruptedException late) {
            fail("received(" + record + ") has not returned", late);
        }
    }

    @Test
    void everyRecordThatATopicMayHaveIsReceived() {
        RecordListener listener = listener(new Appended());
        byte[] text = "text".getBytes(UTF_8);
        byte[] noText = {(byte) 0xff, 0, (byte) 0xc0};
        receive(listener, record(0, null, text, List.of()));
        receive(listener, record(1, text, null, List.of()));
        receive(listener, record(2, null, null, List.of()));
        receive(listener, record(3, new byte[0], new byte[0], List.of()));
        receive(listener, record(4, noText, noText, List.of(new RecordHeader("", null))));
        receive(
                listener,
                record(5, text, text, List.of(new RecordHeader("h", text), new RecordHeader("h", new byte[0]))));
        receive(listener, record(Long.MAX_VALUE - 1, text, new byte[LARGE_BYTES], List.of()));
    }

    @Test
    void aRecordMayComeAgain() {
        RecordListener listener = listener(new Appended());
        receive(listener, usual());
        receive(listener, usual());
        receive(listener(new Appended()), usual());
    }

    @Test
    void theRecordIsNotChanged() {
        ReceivedRecord record = appended() == null ? usual() : appended();
        byte[] key = record.key() == null ? null : record.key().clone();
        byte[] value = record.value() == null ? null : record.value().clone();

        receive(listener(new Appended()), record);

        assertThat(Arrays.equals(record.key(), key)).as("the key is as it was").isTrue();
        assertThat(Arrays.equals(record.value(), value))
                .as("the value is as it was")
                .isTrue();
    }

    @Test
    void whatIsAppendedIsAcknowledgedBeforeTheRecordCountsAsReceived() throws Exception {
        if (appended() == null) {
            return;
        }
        Appended topic = new Appended();
        topic.waits = new CompletableFuture<>();
        CompletableFuture<Void> received = begin(listener(topic), appended());
        Thread.sleep(A_WHILE_MS);

        assertThat(received)
                .as("received() while the append is not acknowledged")
                .isNotDone();

        topic.waits.complete(null);
        received.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        assertThat(topic.values).isNotEmpty();
    }

    @Test
    void aRecordWhoseAppendFailsIsNotReceived() {
        if (appended() == null) {
            return;
        }
        Appended topic = new Appended();
        topic.fails = true;

        assertThat(begin(listener(topic), appended()))
                .as("received() when the append has failed")
                .failsWithin(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    @Test
    void aRecordThatFailedIsAppendedWhenItComesAgain() {
        if (appended() == null) {
            return;
        }
        Appended topic = new Appended();
        RecordListener listener = listener(topic);
        topic.fails = true;
        assertThat(begin(listener, appended())).failsWithin(LIMIT_SECONDS, TimeUnit.SECONDS);
        topic.fails = false;

        receive(listener, appended());

        assertThat(topic.values).isNotEmpty();
    }

    @Test
    void anUpdatedListenerDoesWhatTheOldOneDid() {
        if (appended() == null) {
            return;
        }
        Appended first = new Appended();
        Appended second = new Appended();
        receive(listener(first), appended());
        receive(listener(second), appended());

        assertThat(second.values).isEqualTo(first.values);
    }
}
