package io.felice.storage.log;

import java.nio.ByteBuffer;
import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The pool of direct buffers for the tails of all logs. The sizes are powers of two, and all buffers together stay
 * within a budget. The buffer that was returned last is lent first, because it is still in the processor's cache.
 * Thread-safe.
 */
final class TailBuffers {
    static final int SMALLEST = 16 << 10;

    private static final Logger LOG = LoggerFactory.getLogger(TailBuffers.class);

    private static final int SMALLEST_BITS = Integer.numberOfTrailingZeros(SMALLEST);

    private final long budget;
    private final int largest;
    private final Deque<ByteBuffer>[] idle;
    private final AtomicLong allocated = new AtomicLong();
    private final AtomicLong lent = new AtomicLong();

    TailBuffers(long budget, int largest) {
        this.budget = budget;
        this.largest = largest;
        this.idle = queues(Integer.numberOfTrailingZeros(largest) - SMALLEST_BITS + 1);
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Deque<ByteBuffer>[] queues(int count) {
        Deque<ByteBuffer>[] queues = new Deque[count];
        for (int i = 0; i < count; i++) {
            queues[i] = new ConcurrentLinkedDeque<>();
        }
        return queues;
    }

    int largest() {
        return largest;
    }

    long budget() {
        return budget;
    }

    /** Bytes of the buffers that logs hold now. */
    long lentBytes() {
        return lent.get();
    }

    /**
     * Lends a buffer of this size, or a larger one if only larger ones are left; null if the budget is used up.
     *
     * @param size a power of two from {@link #SMALLEST} to {@link #largest}
     */
    ByteBuffer take(int size) {
        ByteBuffer buffer = queueOf(size).poll();
        if (buffer == null) {
            buffer = allocate(size);
        }
        if (buffer == null) {
            buffer = pollLarger(size);
        }
        if (buffer == null) {
            buffer = allocateAfterFreeingSmaller(size);
        }
        if (buffer != null) {
            lent.addAndGet(buffer.capacity());
        }
        return buffer;
    }

    void giveBack(ByteBuffer buffer) {
        lent.addAndGet(-buffer.capacity());
        queueOf(buffer.capacity()).addFirst(buffer);
    }

    private ByteBuffer allocate(int size) {
        if (allocated.addAndGet(size) <= budget) {
            try {
                return ByteBuffer.allocateDirect(size);
            } catch (OutOfMemoryError none) {
                LOG.warn(
                        "No direct memory is left for a tail buffer of {} bytes; a smaller one or none is used: {}",
                        size,
                        none.getMessage());
            }
        }
        allocated.addAndGet(-size);
        return null;
    }

    private ByteBuffer pollLarger(int size) {
        ByteBuffer buffer = null;
        for (int larger = 2 * size; buffer == null && larger <= largest; larger *= 2) {
            buffer = queueOf(larger).poll();
        }
        return buffer;
    }

    private ByteBuffer allocateAfterFreeingSmaller(int size) {
        ByteBuffer buffer = null;
        for (int smaller = SMALLEST; buffer == null && smaller < size; ) {
            if (queueOf(smaller).poll() == null) {
                smaller *= 2;
            } else {
                allocated.addAndGet(-smaller);
                buffer = allocate(size);
            }
        }
        return buffer;
    }

    private Deque<ByteBuffer> queueOf(int size) {
        return idle[Integer.numberOfTrailingZeros(size) - SMALLEST_BITS];
    }
}
