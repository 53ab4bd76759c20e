package io.felice.broker;

import static io.felice.broker.partition.Bench.get;
import static io.felice.broker.partition.Bench.refused;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.MetadataRecord.ProducerIdsAllocated;
import io.felice.broker.partition.Bench;
import io.felice.testkit.RefusingAdmin;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProducerIdsTest {
    private final Queue<CompletableFuture<ProducerIdsAllocated>> asked = new ArrayDeque<>();
    private Admin admin = new RefusingAdmin("ProducerIds") {
        @Override
        public CompletionStage<ProducerIdsAllocated> allocateProducerIds(int brokerId) {
            CompletableFuture<ProducerIdsAllocated> block = new CompletableFuture<>();
            asked.add(block);
            return block;
        }
    };
    private final AtomicLong nanos = new AtomicLong();
    private final ProducerIds ids = new ProducerIds(0, () -> admin, nanos::get);

    @Test
    void oneBlockServesWaitingAndLaterCalls() {
        List<CompletionStage<Long>> waiting = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            waiting.add(ids.newId());
        }
        assertThat(asked).hasSize(1);

        asked.poll().complete(new ProducerIdsAllocated(0, 3000, 6));

        assertThat(waiting.stream().map(Bench::get)).containsExactly(3000L, 3001L, 3002L, 3003L, 3004L);
        assertThat(get(ids.newId())).isEqualTo(3005);
        assertThat(asked).isEmpty();
    }

    @Test
    void callsThatExceedTheBlockWaitForTheNextBlock() {
        CompletionStage<Long> first = ids.newId();
        CompletionStage<Long> second = ids.newId();

        asked.poll().complete(new ProducerIdsAllocated(0, 10, 1));

        assertThat(get(first)).isEqualTo(10);
        assertThat(second.toCompletableFuture()).isNotDone();
        asked.poll().complete(new ProducerIdsAllocated(0, 20, 1));
        assertThat(get(second)).isEqualTo(20);
    }

    @Test
    void aControllerThatDoesNotAnswerIsAskedAgainAfterThirtySeconds() {
        CompletionStage<Long> first = ids.newId();
        CompletableFuture<ProducerIdsAllocated> lost = asked.poll();
        nanos.addAndGet(Duration.ofSeconds(29).toNanos());
        CompletionStage<Long> second = ids.newId();
        assertThat(asked).isEmpty();

        nanos.addAndGet(Duration.ofSeconds(1).toNanos());
        CompletionStage<Long> third = ids.newId();
        asked.poll().complete(new ProducerIdsAllocated(0, 10, 3));

        assertThat(List.of(get(first), get(second), get(third))).containsExactly(10L, 11L, 12L);
        lost.complete(new ProducerIdsAllocated(0, 50, 2));
        assertThat(get(ids.newId())).isEqualTo(50);
    }

    @Test
    void withoutAControllerCallsFailWithARetriableError() {
        CompletionStage<Long> failing = ids.newId();
        asked.poll().completeExceptionally(ErrorCode.NOT_CONTROLLER.because("elections"));
        refused(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, () -> get(failing));
        Admin kept = admin;
        admin = null;

        refused(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, () -> get(ids.newId()));

        admin = kept;
        CompletionStage<Long> served = ids.newId();
        asked.poll().complete(new ProducerIdsAllocated(0, 5, 5));
        assertThat(get(served)).isEqualTo(5);
    }

    @Test
    void callsFailIfTheControllerAllocatesNoBlock() {
        CompletionStage<Long> failing = ids.newId();
        asked.poll().complete(null);
        refused(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, () -> get(failing));
        Admin kept = admin;
        admin = new RefusingAdmin("a stopped controller");
        refused(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, () -> get(ids.newId()));

        admin = kept;
        CompletionStage<Long> served = ids.newId();
        asked.poll().complete(new ProducerIdsAllocated(0, 5, 5));

        assertThat(get(served)).isEqualTo(5);
    }
}
