package io.felice.storage.log;

/** The contract without memory for tails: every append is a write, every read is from a file. */
class NoTailTest extends LogStorageEngineTest {
    @Override
    boolean forced() {
        return false;
    }

    @Override
    LogSettings settings() {
        return new LogSettings(2 * TailBuffers.SMALLEST, 0, 100, 1);
    }
}
