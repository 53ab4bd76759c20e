package io.felice.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How many connections may be open, and how many may be made in a second. */
class ConnectionQuotasTest {
    private static final String[] TWO_LISTENERS = {"PLAINTEXT://127.0.0.1:0", "INTERNAL://127.0.0.1:0"};

    private final List<TestClient> open = new ArrayList<>();
    private TestNode node;

    @AfterEach
    void stop() throws IOException {
        for (TestClient client : open) {
            client.close();
        }
        if (node != null) {
            node.close();
        }
    }

    @Test
    void aClientWaitsUntilAnotherLeavesIfAllConnectionsAreTaken() throws Exception {
        start(Map.of("max_connections", 2));
        TestClient first = served(node.port());
        open.add(served(node.port()));
        try (TestClient third = node.connect()) {
            third.send(Apis.HEARTBEAT, 4, 1, heartbeat());
            node.awaitNumber("network.connections", "PLAINTEXT", "waited.for.max", 1);
            assertThat(node.number("network.connections", "PLAINTEXT", "open")).isEqualTo(2L);
            assertThat(node.number("network.limits", "connections", "used")).isEqualTo(2L);
            assertThat(node.number("network.limits", "connections", "limit")).isEqualTo(2L);

            first.close();

            assertThat(third.receiveCorrelationId()).isEqualTo(1);
        }
        open.get(0).close();
        assertThat(node.number("network.connections", "PLAINTEXT", "waited.for.max"))
                .isEqualTo(1L);
        node.awaitNumber("network.limits", "connections", "used", 0);
        node.awaitNumber("network.limits", "addresses", "used", 0);
    }

    @Test
    void aConnectionThatIsRefusedLeavesItsPlaceToOthers() throws Exception {
        start(Map.of("max_connections", 3, "max_connections_per_ip", 2));
        open.add(served(node.port()));
        open.add(served(node.port()));
        for (int i = 0; i < 10; i++) {
            try (TestClient refused = node.connect()) {
                assertThat(refused.isClosed(5000)).isTrue();
            }
        }
        for (TestClient client : open) {
            client.close();
        }

        node.awaitNumber("network.connections", "PLAINTEXT", "refused.per.ip", 10);
        node.awaitNumber("network.limits", "connections", "used", 0);
        served(node.port()).close();
    }

    @Test
    void anAddressMayHaveALimitOfItsOwn() throws Exception {
        start(Map.of("max_connections_per_ip", 0, "max_connections_per_ip_overrides", "localhost:1, 10.0.0.1:7"));
        open.add(served(node.port()));
        try (TestClient second = node.connect()) {
            assertThat(second.isClosed(5000)).isTrue();

            node.endpoints().override(Map.of("max.connections.per.ip.overrides", "10.0.0.1:7,127.0.0.1:2"));

            awaitServed();
        }
        open.get(0).close();
        node.endpoints().override(Map.of("max.connections.per.ip.overrides", "10.0.0.1:7"));
        awaitRefused();
        node.endpoints().override(Map.of());
        awaitServed();
    }

    @Test
    void aListenerThatIsFullHoldsNoOtherBack() throws Exception {
        start(Map.of(
                "listeners", TWO_LISTENERS, "listener_security_protocol_map", new String[] {"INTERNAL:PLAINTEXT"}));
        node.endpoints().override(Map.of("listener.name.plaintext.max.connections", "1"));
        open.add(served(node.port("PLAINTEXT")));
        try (TestClient second = new TestClient(node.port("PLAINTEXT"))) {
            node.awaitNumber("network.connections", "PLAINTEXT", "waited.for.max", 1);

            served(node.port("INTERNAL")).close();

            node.endpoints().override(Map.of("listener.name.plaintext.max.connections", "2"));
            second.ask(Apis.HEARTBEAT, 4, 1, heartbeat(), new HeartbeatResponseData());
        }
        assertThat(node.number("network.connections", "INTERNAL", "waited.for.max"))
                .isEqualTo(0L);
    }

    @Test
    void clientsWaitIfMoreComeInASecondThanMay() throws Exception {
        start(Map.of("max_connection_creation_rate", 2));
        long came = 0;

        // All come at once; only if the machine is so slow that they are taken in more than a second, none has to wait.
        while ((long) node.number("network.connections", "PLAINTEXT", "waited.for.rate") == 0) {
            for (int i = 0; i < 3; i++) {
                open.add(node.connect());
                came++;
            }
            for (TestClient client : open) {
                client.ask(Apis.HEARTBEAT, 4, 1, heartbeat(), new HeartbeatResponseData());
            }
        }

        assertThat(node.number("network.connections", "PLAINTEXT", "accepted")).isEqualTo(came);
    }

    @Test
    void aRateSpreadsConnectionsEvenlyAfterOneSecondsWorth() {
        long second = TimeUnit.SECONDS.toNanos(1);
        CreationRate rate = new CreationRate(0);
        for (int i = 0; i < 4; i++) {
            assertThat(rate.waitNanos(0, 4)).isZero();
            rate.take(0, 4);
        }
        assertThat(rate.waitNanos(0, 4)).isEqualTo(second / 4);
        assertThat(rate.waitNanos(second / 4, 4)).isZero();
        rate.take(second / 4, 4);
        assertThat(rate.waitNanos(second / 4, 4)).isEqualTo(second / 4);

        assertThat(rate.waitNanos(100 * second, 4)).isZero();
        for (int i = 0; i < 4; i++) {
            rate.take(100 * second, 4);
        }
        assertThat(rate.waitNanos(100 * second, 4)).isEqualTo(second / 4);
        assertThat(rate.waitNanos(100 * second, Integer.MAX_VALUE)).isLessThanOrEqualTo(second);
    }

    @Test
    void theNetworkStopsWhileClientsWait() throws Exception {
        start(Map.of("max_connections", 1));
        open.add(served(node.port()));
        try (TestClient second = node.connect()) {
            node.awaitNumber("network.connections", "PLAINTEXT", "waited.for.max", 1);

            node.close();
            node = null;

            assertThat(second.isClosed(5000)).isTrue();
            await().untilAsserted(() -> assertThat(Thread.getAllStackTraces().keySet())
                    .extracting(Thread::getName)
                    .noneMatch(name -> name.startsWith("felice-network")));
        }
    }

    @Test
    void limitsThatCannotBeReadAreRefusedWithASentence() {
        assertThatThrownBy(() -> ConnectionLimits.addresses("10.0.0.1"))
                .hasMessage("max.connections.per.ip.overrides: \"10.0.0.1\" is not ADDRESS:NUMBER, for example"
                        + " 10.0.0.1:100");
        assertThatThrownBy(() -> ConnectionLimits.addresses("10.0.0.1:many")).hasMessageContaining("10.0.0.1:many");
        assertThat(ConnectionLimits.addresses("[::1]:3, 10.0.0.1:4 ")).isEqualTo(Map.of("::1", 3, "10.0.0.1", 4));
        assertThat(ConnectionLimits.addresses(" ")).isEmpty();
    }

    private void start(Map<String, ?> settings) {
        node = new TestNode(settings).awaitOpen();
        node.bindNow(
                Apis.HEARTBEAT,
                0,
                4,
                (HeartbeatRequestData request, RequestContext context) -> new HeartbeatResponseData());
    }

    private static TestClient served(int port) throws IOException {
        TestClient client = new TestClient(port);
        client.ask(Apis.HEARTBEAT, 4, 1, heartbeat(), new HeartbeatResponseData());
        return client;
    }

    private void awaitServed() {
        await().ignoreExceptions().until(() -> {
            served(node.port()).close();
            return true;
        });
    }

    private void awaitRefused() {
        await().until(() -> {
            try (TestClient client = node.connect()) {
                return client.isClosed(100);
            }
        });
    }

    private static HeartbeatRequestData heartbeat() {
        return new HeartbeatRequestData().setGroupId("g").setMemberId("m");
    }
}
