package io.felice.protocol;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.protocol.ByteBufferAccessor;

/**
 * The bytes of a frame, from which the message classes of kafka-clients read. Limits the processor time of parsing.
 *
 * <p>Some message classes put elements into a hash table that needs cubic time if all hashes are equal. An attacker can
 * build such a request of 16 KB, which would keep an I/O thread busy for more than a minute. So a request is refused if
 * its parsing takes far more processor time than a normal request with as many elements.
 */
final class FrameBytes extends ByteBufferAccessor {
    private static final long MOST_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final long MOST_NANOS_PER_READ = TimeUnit.MICROSECONDS.toNanos(10);

    /** The clock is read once in so many reads; a power of two. Most requests have fewer reads. */
    private static final int READS_PER_CHECK = 128;

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final boolean HAS_CPU_TIME =
            THREADS.isCurrentThreadCpuTimeSupported() && THREADS.isThreadCpuTimeEnabled();

    private int reads;
    private long since;

    FrameBytes(ByteBuffer bytes) {
        super(bytes);
    }

    /** All strings are read with this method. */
    @Override
    public byte[] readArray(int size) {
        count();
        return super.readArray(size);
    }

    @Override
    public int readInt() {
        count();
        return super.readInt();
    }

    private void count() {
        if ((++reads & READS_PER_CHECK - 1) == 0) {
            checkTime();
        }
    }

    private void checkTime() {
        if (!HAS_CPU_TIME) {
            return;
        }
        long now = THREADS.getCurrentThreadCpuTime();
        if (reads == READS_PER_CHECK) {
            since = now;
        } else if (now - since > MOST_NANOS + reads * MOST_NANOS_PER_READ) {
            throw new MalformedRequest("A request is refused because its elements take too long to read");
        }
    }
}
