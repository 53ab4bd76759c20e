package io.felice.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.security.Quotas;
import io.felice.api.security.Requester;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A client that is over its quota waits; the others do not. */
@Timeout(60)
class ThrottlingTest {
    private static final int LONG_MS = 1_500;

    private final FakeQuotas quotas = new FakeQuotas();
    private final AtomicInteger handled = new AtomicInteger();
    private TestNode node;

    /** Lets clients wait for as long as a test says, once. */
    private static final class FakeQuotas implements Quotas {
        private final Map<Kind, Integer> waits = new EnumMap<>(Kind.class);
        private final List<String> charges = new CopyOnWriteArrayList<>();

        @Override
        public boolean isAny(Kind kind) {
            return waits.containsKey(kind);
        }

        @Override
        public synchronized int charge(Kind kind, Requester who, String clientId, double amount) {
            charges.add(kind + " " + who.principal() + " " + clientId + " " + (amount > 0));
            return waits.put(kind, 0);
        }

        synchronized void limit(Kind kind, int waitMs) {
            waits.put(kind, waitMs);
        }
    }

    @BeforeEach
    void open() {
        node = new TestNode(Map.of());
        node.bindNow(Apis.HEARTBEAT, 0, 4, (HeartbeatRequestData request, RequestContext context) -> {
            handled.incrementAndGet();
            return new HeartbeatResponseData();
        });
        node.bindNow(Apis.PRODUCE, 3, 9, (ProduceRequestData request, RequestContext context) -> null);
        node.network().bindQuotas(quotas);
    }

    @AfterEach
    void close() {
        node.close();
    }

    private static HeartbeatRequestData heartbeat() {
        return new HeartbeatRequestData().setGroupId("g").setMemberId("m");
    }

    private static int throttleOf(TestClient client, int correlationId) throws Exception {
        return client.ask(Apis.HEARTBEAT, 4, correlationId, heartbeat(), new HeartbeatResponseData())
                .throttleTimeMs();
    }

    @Test
    void theAnswerComesAtOnceAndTheNextRequestIsHandledWhenTheTimeIsOver() throws Exception {
        quotas.limit(Quotas.Kind.REQUEST, LONG_MS);
        try (TestClient client = node.connect();
                TestClient neighbour = node.connect()) {
            long began = System.nanoTime();
            assertThat(throttleOf(client, 1)).isEqualTo(LONG_MS);

            client.send(Apis.HEARTBEAT, 4, 2, heartbeat());
            assertThat(throttleOf(neighbour, 1)).isZero();
            assertThat(handled)
                    .as("the throttled client's request is not handled yet")
                    .hasValue(2);

            client.receive(Apis.HEARTBEAT, 4, 2, new HeartbeatResponseData());
            assertThat(System.nanoTime() - began).isGreaterThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(LONG_MS));
            assertThat(quotas.charges).contains("REQUEST User:ANONYMOUS test true");
        }
    }

    @Test
    void aMutedClientsBytesWaitInItsSocket() throws Exception {
        quotas.limit(Quotas.Kind.REQUEST, LONG_MS);
        try (TestClient client = node.connect()) {
            throttleOf(client, 1);
            for (int i = 2; i < 102; i++) {
                client.send(Apis.HEARTBEAT, 4, i, heartbeat());
            }
            for (int i = 2; i < 102; i++) {
                client.receive(Apis.HEARTBEAT, 4, i, new HeartbeatResponseData());
            }
            assertThat(handled).hasValue(101);
        }
    }

    @Test
    void aProducerThatWantsNoAnswersIsMutedToo() throws Exception {
        quotas.limit(Quotas.Kind.PRODUCE, LONG_MS);
        try (TestClient client = node.connect()) {
            long began = System.nanoTime();
            client.send(Apis.PRODUCE, 9, 1, new ProduceRequestData().setAcks((short) 0));
            await().atMost(Duration.ofSeconds(60)).until(() -> !quotas.charges.isEmpty());
            assertThat(throttleOf(client, 2)).isZero();
            assertThat(System.nanoTime() - began).isGreaterThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(LONG_MS));
            assertThat(quotas.charges).containsExactly("PRODUCE User:ANONYMOUS test true");
        }
    }

    @Test
    void aConnectionOverTheRateOfItsAddressWaitsBeforeItsFirstRequest() throws Exception {
        quotas.limit(Quotas.Kind.CONNECTION, LONG_MS);
        long began = System.nanoTime();
        try (TestClient client = node.connect()) {
            throttleOf(client, 1);
            assertThat(System.nanoTime() - began).isGreaterThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(LONG_MS));
        }
    }

    @Test
    void withoutTheBundleThatCountsNobodyWaits() throws Exception {
        quotas.limit(Quotas.Kind.REQUEST, LONG_MS);
        node.network().unbindQuotas(quotas);
        try (TestClient client = node.connect()) {
            assertThat(throttleOf(client, 1)).isZero();
            assertThat(quotas.charges).isEmpty();
        }
    }
}
