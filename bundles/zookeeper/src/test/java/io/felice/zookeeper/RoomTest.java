package io.felice.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A server on a disk of which the test says how many bytes are free beside the reserve. */
class RoomTest {
    private static final long PLENTY = 1 << 30;

    @TempDir
    Path directory;

    private long freeBesideTheReserve = PLENTY;

    private Path reserve() {
        return directory.resolve("felice.reserve");
    }

    private Room room() {
        return new Room(
                directory, () -> freeBesideTheReserve - (reserve().toFile().exists() ? 0 : -Room.RESERVE_BYTES));
    }

    @Test
    void aServerOnAFullDiskUsesTheReserveOnce() throws Exception {
        room().keepReserve();
        assertThat(reserve()).hasSize(Room.RESERVE_BYTES);
        freeBesideTheReserve = 0;

        room().require();

        assertThat(reserve()).doesNotExist();
        freeBesideTheReserve = -Room.RESERVE_BYTES;
        assertThatThrownBy(() -> room().require())
                .isInstanceOf(IOException.class)
                .hasMessage("The disk is full: 0 bytes are free for " + directory
                        + ", and ZooKeeper needs 65536 bytes there to start");
    }

    @Test
    void theReserveIsKeptWhereThereIsRoomAndTakenWhereThereIsPlenty() throws Exception {
        freeBesideTheReserve = Room.NEEDED_BYTES;
        room().keepReserve();
        assertThat(reserve()).doesNotExist();

        freeBesideTheReserve = PLENTY;
        room().keepReserve();
        freeBesideTheReserve = Room.NEEDED_BYTES;
        room().require();

        assertThat(reserve()).exists();
    }
}
