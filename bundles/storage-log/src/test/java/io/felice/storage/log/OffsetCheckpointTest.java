package io.felice.storage.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests which offsets a checkpoint reports as being on disk while its file is being replaced. */
class OffsetCheckpointTest {
    @TempDir
    Path temp;

    private Runnable duringRename = () -> {};

    private final DiskFiles files = new DiskFiles() {
        @Override
        void rename(Path from, Path to) throws IOException {
            duringRename.run();
            super.rename(from, to);
        }
    };

    @Test
    void offsetsOfAWriteInProgressCountAsOnDisk() throws IOException {
        OffsetCheckpoint checkpoint = new OffsetCheckpoint(files, temp.resolve("points"));
        checkpoint.put("orders 0", 90);
        List<Long> seen = new ArrayList<>();
        duringRename = () -> {
            checkpoint.put("orders 0", 40);
            seen.add(checkpoint.onDisk("orders 0"));
            checkpoint.remove("orders 0");
            assertThat(checkpoint.isOnDisk("orders 0")).isTrue();
        };

        checkpoint.write();

        assertThat(seen).containsExactly(90L);
        duringRename = () -> {};
        checkpoint.write();
        assertThat(checkpoint.isOnDisk("orders 0")).isFalse();
        assertThat(temp.resolve("points")).hasContent("0\n0\n");
    }
}
