package io.felice.broker;

import static io.felice.api.ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;

import io.felice.api.cluster.Admin;
import io.felice.api.cluster.MetadataRecord.ProducerIdsAllocated;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** Hands out producer ids from blocks that the controller allocates to this broker. Any thread. */
final class ProducerIds {
    /** The controller is asked again after this time: it may have stopped without an answer. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final int brokerId;
    private final Supplier<Admin> admin;
    private final LongSupplier nanos;
    private final Deque<CompletableFuture<Long>> waiting = new ArrayDeque<>();
    private long next;
    private long end;
    private boolean asking;
    private long askedAt;

    /** @param admin gives null while there is no controller */
    ProducerIds(int brokerId, Supplier<Admin> admin, LongSupplier nanos) {
        this.brokerId = brokerId;
        this.admin = admin;
        this.nanos = nanos;
    }

    CompletionStage<Long> newId() {
        CompletableFuture<Long> id = new CompletableFuture<>();
        synchronized (this) {
            if (next < end) {
                id.complete(next++);
                return id;
            }
            waiting.add(id);
            long now = nanos.getAsLong();
            if (asking && now - askedAt < PATIENCE_NANOS) {
                return id;
            }
            asking = true;
            askedAt = now;
        }
        ask();
        return id;
    }

    private void ask() {
        block().whenComplete((allocated, failure) -> {
            if (failure != null) {
                refuse(failure);
            } else if (allocated == null) {
                refuse(COORDINATOR_LOAD_IN_PROGRESS.because("The controller allocated no block of producer ids"));
            } else {
                give(allocated);
            }
        });
    }

    private CompletionStage<ProducerIdsAllocated> block() {
        Admin controller = admin.get();
        if (controller == null) {
            return CompletableFuture.failedFuture(COORDINATOR_LOAD_IN_PROGRESS.because("There is no controller now"));
        }
        try {
            return controller.allocateProducerIds(brokerId);
        } catch (RuntimeException going) {
            return CompletableFuture.failedFuture(going);
        }
    }

    private void give(ProducerIdsAllocated block) {
        Deque<Runnable> answers = new ArrayDeque<>();
        boolean more;
        synchronized (this) {
            next = block.firstId();
            end = block.nextId();
            while (next < end && !waiting.isEmpty()) {
                CompletableFuture<Long> first = waiting.poll();
                long id = next++;
                answers.add(() -> first.complete(id));
            }
            more = !waiting.isEmpty();
            asking = more;
            askedAt = nanos.getAsLong();
        }
        answers.forEach(Runnable::run);
        if (more) {
            ask();
        }
    }

    /** Fails the waiting calls with an error code that every client retries, because a later attempt may succeed. */
    private void refuse(Throwable cause) {
        Deque<CompletableFuture<Long>> refused;
        synchronized (this) {
            refused = new ArrayDeque<>(waiting);
            waiting.clear();
            asking = false;
        }
        refused.forEach(id -> id.completeExceptionally(
                COORDINATOR_LOAD_IN_PROGRESS.because("No producer ids were allocated", cause)));
    }
}
