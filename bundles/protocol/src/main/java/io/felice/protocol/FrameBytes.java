package io.felice.protocol;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.protocol.ByteBufferAccessor;

/**
 * A frame's bytes, as the message classes read them. Some message classes put elements into a hash table whose growth
 * takes cubic time when all hashes are equal: a request of 16 KB, made for that, would keep an I/O thread busy for more
 * than a minute. So a request is refused when its reading takes far more processor time than an honest one of as many
 * elements.
 */
final class FrameBytes extends ByteBufferAccessor {
    private static final long MOST_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final long MOST_NANOS_PER_READ = TimeUnit.MICROSECONDS.toNanos(10);

    /** Reads between two looks at the clock; a power of two. Most requests have fewer. */
    private static final int READS_PER_LOOK = 128;

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final boolean HAS_CPU_TIME =
            THREADS.isCurrentThreadCpuTimeSupported() && THREADS.isThreadCpuTimeEnabled();

    private int reads;
    private long since;

    FrameBytes(ByteBuffer bytes) {
        super(bytes);
    }

    /** Every string goes through here. */
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
        if ((++reads & READS_PER_LOOK - 1) == 0) {
            look();
        }
    }

    private void look() {
        if (!HAS_CPU_TIME) {
            return;
        }
        long now = THREADS.getCurrentThreadCpuTime();
        if (reads == READS_PER_LOOK) {
            since = now;
        } else if (now - since > MOST_NANOS + reads * MOST_NANOS_PER_READ) {
            throw new MalformedRequest("a request whose elements take too long to read");
        }
    }
}
