package io.felice.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A disk of which the test says how many bytes are free beside the reserve. */
class ReserveTest {
    private static final int BYTES = 1_000;

    @TempDir
    Path directory;

    private long freeBesideIt;

    @Test
    void aFullDiskHasTheRoomOfTheReserveOnce() throws Exception {
        freeBesideIt = 1_000_000;
        reserve().keep();
        assertThat(file()).hasSize(BYTES);
        freeBesideIt = 10;

        assertThat(reserve().release(500)).isEqualTo(10 + BYTES);

        assertThat(file()).doesNotExist();
        freeBesideIt = 20 - BYTES;
        assertThat(reserve().release(500)).isEqualTo(20);
    }

    @Test
    void theReserveStaysWhileThereIsRoomAndIsTakenWhereThereIsPlenty() throws Exception {
        freeBesideIt = 3 * BYTES;
        reserve().keep();
        assertThat(file()).doesNotExist();

        freeBesideIt = 4 * BYTES;
        reserve().keep();
        freeBesideIt = 500;

        assertThat(reserve().release(500)).isEqualTo(500);
        assertThat(file()).exists();
    }

    private Reserve reserve() {
        return new Reserve(directory, BYTES, () -> freeBesideIt + (Files.exists(file()) ? 0 : BYTES));
    }

    private Path file() {
        return directory.resolve(Reserve.NAME);
    }
}
