package io.felice.zookeeper;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.jute.Record;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooDefs.OpCode;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.proto.AddWatchRequest;
import org.apache.zookeeper.proto.CreateTTLRequest;
import org.apache.zookeeper.proto.DeleteRequest;
import org.apache.zookeeper.proto.GetEphemeralsRequest;
import org.apache.zookeeper.proto.SetWatches;
import org.apache.zookeeper.proto.SetWatches2;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Operations that no broker needs, sent as raw packets: the server refuses them before it looks at their content. */
class RefusedOperationsTest {
    private static final String OWNED = "/owned";

    @TempDir
    Path data;

    private SingleServer server;
    private ZooKeeper owner;

    @BeforeEach
    void keepAZnodeThatOnlyItsOwnerMayChange() throws Exception {
        server = SingleServer.open(ServerSettings.onLoopback(data));
        CountDownLatch connected = new CountDownLatch(1);
        owner = new ZooKeeper(server.connectString(), 30_000, event -> {
            if (event.getState() == KeeperState.SyncConnected) {
                connected.countDown();
            }
        });
        assertThat(connected.await(60, TimeUnit.SECONDS)).isTrue();
        owner.addAuthInfo("digest", "owner:secret".getBytes(UTF_8));
        owner.create(OWNED, new byte[0], ZooDefs.Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
        owner.create(OWNED + "/child", new byte[0], ZooDefs.Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
    }

    @AfterEach
    void stop() throws Exception {
        owner.close();
        server.close();
    }

    @Test
    void deleteContainerDoesNotDeleteWhatTheAccessControlListProtects() throws Exception {
        try (RawConnection stranger = new RawConnection(port())) {
            Code ordinary = stranger.ask(OpCode.delete, RawConnection.bytes(new DeleteRequest(OWNED + "/child", -1)));
            Code container = stranger.ask(OpCode.deleteContainer, (OWNED + "/child").getBytes(UTF_8));

            assertThat(ordinary).isEqualTo(Code.NOAUTH);
            assertThat(container).isEqualTo(Code.UNIMPLEMENTED);
            assertThat(stranger.isEnded()).isTrue();
        }
        assertThat(owner.exists(OWNED + "/child", false)).isNotNull();
    }

    @ParameterizedTest
    @ValueSource(
            ints = {
                OpCode.setWatches,
                OpCode.setWatches2,
                OpCode.addWatch,
                OpCode.createTTL,
                OpCode.createContainer,
                OpCode.getEphemerals,
                OpCode.reconfig,
                OpCode.createSession,
                OpCode.error,
                4_711
            })
    void whatNoBrokerNeedsIsRefused(int opcode) throws Exception {
        try (RawConnection stranger = new RawConnection(port())) {
            Code code = stranger.ask(opcode, RawConnection.bytes(request(opcode)));

            assertThat(code).isEqualTo(Code.UNIMPLEMENTED);
            assertThat(stranger.isEnded()).isTrue();
        }
    }

    private static Record request(int opcode) {
        List<String> none = List.of();
        return switch (opcode) {
            case OpCode.setWatches -> new SetWatches(0, List.of(OWNED), none, none);
            case OpCode.setWatches2 -> new SetWatches2(0, List.of(OWNED), none, none, none, none);
            case OpCode.addWatch -> new AddWatchRequest("/", 1);
            case OpCode.getEphemerals -> new GetEphemeralsRequest("/");
            default -> new CreateTTLRequest("/theirs", new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, 5, 1_000);
        };
    }

    private int port() {
        String address = server.connectString();
        return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
    }
}
