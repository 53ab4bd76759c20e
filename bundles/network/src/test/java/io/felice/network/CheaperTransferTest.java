package io.felice.network;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** File ranges are sent to a peer on this machine by the way that costs less processor time. */
class CheaperTransferTest {
    private static final long TURN_BYTES = 512 * 1024;

    private final CheaperTransfer transfer = new CheaperTransfer();

    @Test
    void bothWaysAreTriedAndMemoryIsUsedIfItIsCheaper() {
        assertThat(shareByKernel(1_000, 2, 1)).isBetween(0.01, 0.05);
    }

    @Test
    void sendfileIsUsedIfItIsCheaper() {
        assertThat(shareByKernel(1_000, 1, 2)).isBetween(0.95, 0.99);
    }

    @Test
    void theOtherWayIsUsedSoonAfterItHasBecomeCheaper() {
        shareByKernel(1_000, 1, 2);

        shareByKernel(600, 3, 2);

        assertThat(shareByKernel(1_000, 3, 2)).isBetween(0.01, 0.05);
    }

    @Test
    void transfersOfNoBytesCountForTheWayThatWasUsed() {
        for (int i = 0; i < 1_000; i++) {
            if (transfer.isByKernel()) {
                transfer.took(0, 10_000_000);
            }
            transfer.took(TURN_BYTES, 1_000_000);
        }

        assertThat(shareByKernel(1_000, 1, 1)).isLessThan(0.05);
    }

    /** The share of sendfile in so many transfers, with these costs in nanoseconds per byte. */
    private double shareByKernel(int turns, long byKernel, long throughMemory) {
        int sentByKernel = 0;
        for (int i = 0; i < turns; i++) {
            sentByKernel += transfer.isByKernel() ? 1 : 0;
            transfer.took(TURN_BYTES, TURN_BYTES * (transfer.isByKernel() ? byKernel : throughMemory));
        }
        return sentByKernel / (double) turns;
    }
}
