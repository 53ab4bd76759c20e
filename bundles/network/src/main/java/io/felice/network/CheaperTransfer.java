package io.felice.network;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/**
 * Which way to a peer on this machine takes less of an I/O thread's processor time: by the kernel or through memory. Either
 * is twice as dear as the other on some machine, so both are measured: a spell of one way after the other, then the
 * cheaper one, with a spell of the other every now and then in case things have changed. I/O thread only.
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

    /** Processor time of the calling thread so far, nanoseconds; always 0 where the Java machine cannot tell. */
    static long now() {
        return MEASURES ? THREADS.getCurrentThreadCpuTime() : 0;
    }

    /** So many bytes went the current way and took so long. */
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
