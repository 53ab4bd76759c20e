package io.felice.shell;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.status.Trouble;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataDiskTest {
    @TempDir
    Path directory;

    @Test
    void aFullDiskIsATrouble() {
        assertThat(new DataDisk(directory, Long.MAX_VALUE).troubles())
                .singleElement()
                .extracting(Trouble::reason)
                .asString()
                .matches("The disk is full: \\d+ MB are free for " + directory + ", .*");
    }

    @Test
    void aDiskWithFreeSpaceIsNoTrouble() {
        assertThat(new DataDisk(directory, 0).troubles()).isEmpty();
        assertThat(new DataDisk(null, Long.MAX_VALUE).troubles()).isEmpty();
    }
}
