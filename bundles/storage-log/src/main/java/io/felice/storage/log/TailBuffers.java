package io.felice.storage.log;

import java.nio.ByteBuffer;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/** Direct buffers for the tails of all logs: sizes are powers of two, pooled, all together within a budget. */
final class TailBuffers {
    static final int SMALLEST = 16 << 10;

    private static final int SMALLEST_BITS = Integer.numberOfTrailingZeros(SMALLEST);

    private final long budget;
    private final int largest;
    private final Queue<ByteBuffer>[] idle;
    private final AtomicLong allocated = new AtomicLong();
    private final AtomicLong lent = new AtomicLong();

    TailBuffers(long budget, int largest) {
        this.budget = budget;
        this.largest = largest;
        this.idle = queues(Integer.numberOfTrailingZeros(largest) - SMALLEST_BITS + 1);
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Queue<ByteBuffer>[] queues(int count) {
        Queue<ByteBuffer>[] queues = new Queue[count];
        for (int i = 0; i < count; i++) {
            queues[i] = new ConcurrentLinkedQueue<>();
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

    /** A buffer of this size, a power of two from {@link #SMALLEST} to {@link #largest}; null if the budget is used up. */
    ByteBuffer take(int size) {
        ByteBuffer buffer = queueOf(size).poll();
        if (buffer == null) {
            buffer = allocate(size);
        }
        if (buffer != null) {
            lent.addAndGet(size);
        }
        return buffer;
    }

    void giveBack(ByteBuffer buffer) {
        lent.addAndGet(-buffer.capacity());
        queueOf(buffer.capacity()).add(buffer);
    }

    private ByteBuffer allocate(int size) {
        while (allocated.addAndGet(size) > budget) {
            allocated.addAndGet(-size);
            if (!dropAnIdleOne()) {
                return null;
            }
        }
        return ByteBuffer.allocateDirect(size);
    }

    private boolean dropAnIdleOne() {
        for (int i = idle.length - 1; i >= 0; i--) {
            ByteBuffer dropped = idle[i].poll();
            if (dropped != null) {
                allocated.addAndGet(-dropped.capacity());
                return true;
            }
        }
        return false;
    }

    private Queue<ByteBuffer> queueOf(int size) {
        return idle[Integer.numberOfTrailingZeros(size) - SMALLEST_BITS];
    }
}
