package io.felice.zookeeper;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooDefs.OpCode;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.proto.ReconfigRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EnsembleMemberTest {
    @TempDir
    Path directory;

    private TestMembers members;

    @BeforeEach
    void make() throws IOException {
        members = new TestMembers(directory);
    }

    @AfterEach
    void close() throws InterruptedException {
        members.close();
    }

    @Test
    void leaderAndFollowerRefuseWhatNoBrokerNeeds() throws Exception {
        startNew();
        create(members.client(1), "/kept");

        for (String state : List.of("leading", "following")) {
            int port = members.port(members.memberThat(state));
            for (int opcode : List.of(OpCode.deleteContainer, OpCode.setWatches, OpCode.reconfig)) {
                try (RawConnection stranger = new RawConnection(port)) {
                    Code code = stranger.ask(opcode, content(opcode));

                    assertThat(code).as(state).isEqualTo(Code.UNIMPLEMENTED);
                    assertThat(stranger.isEnded()).isTrue();
                }
            }
        }
        assertThat(members.has(2, "/kept")).isTrue();
    }

    private static byte[] content(int opcode) throws IOException {
        return opcode == OpCode.deleteContainer
                ? "/kept".getBytes(UTF_8)
                : RawConnection.bytes(new ReconfigRequest("", "1", "", -1));
    }

    @Test
    void twoOfThreeGoOnWithoutTheLeaderAndTheThirdCatchesUp() throws Exception {
        startNew();
        int lost = members.memberThat("leading");
        int left = lost == 1 ? 2 : 1;

        members.close(lost);
        create(members.client(left), "/meanwhile");
        members.open(lost);

        assertThat(members.serves(lost)).isTrue();
        assertThat(members.has(lost, "/meanwhile")).isTrue();
    }

    @Test
    void oneOfThreeDoesNotServe() throws Exception {
        startNew();

        members.close(1, 2);

        assertThat(waitsWithoutServing(3)).isTrue();
    }

    @Test
    void aMemberWhoseDiskWasEmptiedHasNoVoteUntilItHasTheData() throws Exception {
        startNew();
        members.close(3);
        create(members.client(1), "/missed-by-3");
        members.close(1, 2);
        delete(members.data(2));

        EnsembleMember emptied = members.open(2);
        members.open(3);

        assertThat(emptied.mayVote()).isFalse();
        assertThat(waitsWithoutServing(3)).isTrue();
        members.open(1);
        assertThat(members.serves(2)).isTrue();
        assertThat(members.has(2, "/missed-by-3")).isTrue();
        assertThat(members.has(3, "/missed-by-3")).isTrue();
    }

    @Test
    void theDataOfAServerThatServedAloneAreTakenOver() throws Exception {
        try (SingleServer alone = SingleServer.open(ServerSettings.onLoopback(members.data(1)))) {
            create(members.client(alone.connectString()), "/from-before");
        }
        copy(members.data(1), members.data(2));
        copy(members.data(1), members.data(3));

        members.open(2, 3);
        members.serves(2);
        create(members.client(2), "/without-1");
        members.open(1);

        assertThat(members.serves(1)).isTrue();
        assertThat(members.has(1, "/from-before")).isTrue();
        assertThat(members.has(1, "/without-1")).isTrue();
    }

    @Test
    void aMemberKeepsItsPlaceInTheList() throws Exception {
        startNew();
        members.close(1, 2);

        assertThatThrownBy(() -> members.open(1, members.data(2)))
                .hasMessageContaining("belong to member 2 of the ensemble, but in the list this node is member 1");
        assertThatThrownBy(() -> SingleServer.open(ServerSettings.onLoopback(members.data(2))))
                .hasMessageContaining("belong to member 2 of an ensemble");
    }

    @Test
    void theAddressTellsWhichMemberANodeIs() throws Exception {
        assertThat(Ensemble.of("203.0.113.1:2181,127.0.0.1:2181,203.0.113.3:2181", 0)
                        .self())
                .isEqualTo(2);
        assertThat(Ensemble.of("127.0.0.1:2181,127.0.0.1:2182", 2).own().votesPort())
                .isEqualTo(3889);
        assertThatThrownBy(() -> Ensemble.of("127.0.0.1:2181,127.0.0.1:2182", 0))
                .hasMessageContaining("say which one this node is");
        assertThatThrownBy(() -> Ensemble.of("203.0.113.1:2181,203.0.113.2:2181", 0))
                .hasMessageContaining("No address of the ensemble");
        assertThatThrownBy(() -> Ensemble.of("127.0.0.1:2181,127.0.0.1", 1)).hasMessageContaining("is not host:port");
        assertThatThrownBy(() -> Ensemble.of("127.0.0.1:2181", 1)).hasMessageContaining("two or more");
    }

    private void startNew() throws Exception {
        members.trustEmpty(1, 2, 3);
        members.open(1, 2, 3);
        for (int member = 1; member <= 3; member++) {
            assertThat(members.serves(member)).isTrue();
        }
    }

    private static void create(ZooKeeper client, String path) throws Exception {
        client.create(path, new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
    }

    /** Whether the member is still without a majority after the others have had the time to find it. */
    private boolean waitsWithoutServing(int member) throws Exception {
        members.awaitNotServing(member);
        return !members.servesWithin(member, 2, TimeUnit.SECONDS);
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path copy = to.resolve(from.relativize(file));
                if (Files.isDirectory(file)) {
                    Files.createDirectories(copy);
                } else {
                    Files.copy(file, copy);
                }
            }
        }
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
