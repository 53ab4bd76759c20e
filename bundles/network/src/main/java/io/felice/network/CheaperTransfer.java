package io.felice.network;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/**
 * Finds the transfer of file ranges to peers on this machine that takes less processor time of the I/O thread: sendfile
 * by the kernel, or a copy through memory. Which way is cheaper depends on the machine, by up to a factor of two, so
 * both are measured: 4 MB by one way, 4 MB by the other, then the cheaper way. The other way is measured again after
 * every 32 spells of 4 MB. I/O thread only.
 */
final class CheaperTransfer {
    private static final long SPELL_BYTES = 4 * 1024 * 1024;
    private static final int SPELLS_BETWEEN_TRIALS = 32;

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final boolean MEASURES =
            THREADS.isCurrentThreadCpuTimeSupported() && THREADS.isThreadCpuTimeEnabled();

    private final Way byKernel = new Way();
    private final Way throughMemory = new Way();
    private Way current = byKernel;
    private int spellsSinceTrial;

    boolean isByKernel() {
        return current == byKernel;
    }

    /** The processor time of the calling thread in nanoseconds; always 0 if the JVM does not measure it. */
    static long now() {
        return MEASURES ? THREADS.getCurrentThreadCpuTime() : 0;
    }

    /** Adds a measurement of the current way. */
    void took(long bytes, long nanos) {
        if (current.isSpellOver(bytes, nanos)) {
            current = next();
        }
    }

    private Way next() {
        Way other = current == byKernel ? throughMemory : byKernel;
        if (other.isUnknown() || ++spellsSinceTrial > SPELLS_BETWEEN_TRIALS) {
            spellsSinceTrial = 0;
            return other;
        }
        return byKernel.nanosPerByte <= throughMemory.nanosPerByte ? byKernel : throughMemory;
    }

    private static final class Way {
        private double nanosPerByte = Double.NaN;
        private long bytes;
        private long nanos;

        boolean isUnknown() {
            return Double.isNaN(nanosPerByte);
        }

        boolean isSpellOver(long moreBytes, long moreNanos) {
            bytes += moreBytes;
            nanos += moreNanos;
            if (bytes < SPELL_BYTES) {
                return false;
            }
            double newest = (double) nanos / bytes;
            nanosPerByte = isUnknown() ? newest : (nanosPerByte + newest) / 2;
            bytes = 0;
            nanos = 0;
            return true;
        }
    }
}
