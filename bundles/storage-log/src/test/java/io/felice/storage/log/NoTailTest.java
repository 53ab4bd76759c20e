package io.felice.storage.log;

/** Runs the engine contract without memory for tails: every append writes to a file, every read reads from a file. */
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
