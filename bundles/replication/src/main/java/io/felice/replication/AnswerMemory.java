package io.felice.replication;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.kafka.common.memory.MemoryPool;

/**
 * The memory for the answers of one connection. Large answers come into memory outside of the heap, which the system
 * fills and writes to files without a copy, and which is used again for later answers. Used by one thread, apart from
 * {@link #bytes}.
 */
final class AnswerMemory implements MemoryPool {
    private static final int ON_HEAP_UP_TO = 16 << 10;
    private static final int STEP = 1 << 20;

    private final List<ByteBuffer> lent = new ArrayList<>();
    private ByteBuffer free;
    private volatile long bytes;

    @Override
    public ByteBuffer tryAllocate(int bytes) {
        if (bytes <= ON_HEAP_UP_TO) {
            return ByteBuffer.allocate(bytes);
        }
        ByteBuffer memory = free != null && free.capacity() >= bytes ? free : allocate(bytes);
        if (memory == free) {
            free = null;
        }
        if (memory.isDirect()) {
            lent.add(memory);
        }
        count();
        return memory.clear().limit(bytes);
    }

    /** The memory outside of the heap that answers use or will use. Any thread. */
    long bytes() {
        return bytes;
    }

    private void count() {
        bytes = (free == null ? 0 : free.capacity())
                + lent.stream().mapToLong(ByteBuffer::capacity).sum();
    }

    private static ByteBuffer allocate(int bytes) {
        try {
            return ByteBuffer.allocateDirect(
                    (int) Math.min(Integer.MAX_VALUE, (long) (bytes + STEP - 1) / STEP * STEP));
        } catch (OutOfMemoryError noneLeft) {
            return ByteBuffer.allocate(bytes);
        }
    }

    /** The connection ended in the middle of an answer. */
    @Override
    public void release(ByteBuffer memory) {
        for (Iterator<ByteBuffer> all = lent.iterator(); all.hasNext(); ) {
            if (all.next() == memory) {
                all.remove();
                keep(memory);
            }
        }
    }

    /** Nobody uses the answers any more. */
    void reclaim() {
        lent.forEach(this::keep);
        lent.clear();
        count();
    }

    /** Somebody may still use the answers: their memory is not used again. */
    void abandon() {
        lent.clear();
        count();
    }

    /** Gives the memory back that no answer needs now. */
    void trim() {
        free = null;
        count();
    }

    private void keep(ByteBuffer memory) {
        if (free == null || free.capacity() < memory.capacity()) {
            free = memory;
        }
    }

    @Override
    public long size() {
        return Long.MAX_VALUE;
    }

    @Override
    public long availableMemory() {
        return Long.MAX_VALUE;
    }

    @Override
    public boolean isOutOfMemory() {
        return false;
    }
}
