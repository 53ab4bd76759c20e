package io.felice.wire.mqtt;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.TopicPartition;
import io.felice.wire.mqtt.Deliveries.Delivery;
import io.felice.wire.mqtt.MqttSession.Position;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DeliveriesTest {
    private static final TopicPartition PARTITION = new TopicPartition("mqtt", 0);

    private final MqttSession session = new MqttSession("client", "User:a", 100);
    private final List<String> sent = new ArrayList<>();
    private boolean full;
    private Deliveries deliveries;

    @BeforeEach
    void begin() {
        session.positions().put(PARTITION, new Position(10));
        deliveries = connect();
    }

    private Deliveries connect() {
        return new Deliveries(session, 2, new Deliveries.Sender() {
            @Override
            public boolean isFull() {
                return full;
            }

            @Override
            public void send(Delivery delivery, int packetId, boolean isAgain) {
                sent.add(delivery.offset() + "#" + packetId + (isAgain ? " again" : ""));
            }
        });
    }

    private Position position() {
        return session.positions().get(PARTITION);
    }

    /** As a reading does: what it has read is added, and the position moves. */
    private void read(long from, long to, int qos) {
        for (long offset = from; offset < to; offset++) {
            if (position().isWanted(offset)) {
                Publication publication = new Publication("a", new byte[10], qos, false, List.of());
                deliveries.add(new Delivery(PARTITION, offset, publication, qos, false, List.of()));
            }
        }
        position().next = to;
        deliveries.pump();
    }

    @Test
    void noMoreMessagesAreSentThanTheClientAcknowledges() {
        read(10, 14, 1);
        assertThat(sent).containsExactly("10#1", "11#2");

        assertThat(deliveries.acknowledged(2)).isTrue();
        deliveries.pump();
        assertThat(sent).containsExactly("10#1", "11#2", "12#3");
        assertThat(deliveries.acknowledged(2)).isFalse();
    }

    @Test
    void thePositionIsThatOfTheFirstMessageThatIsNotAcknowledged() {
        read(10, 14, 1);
        assertThat(deliveries.moved()).isEqualTo(Map.of(PARTITION, 10L));
        deliveries.acknowledged(2);
        assertThat(deliveries.moved()).isEmpty();
        deliveries.acknowledged(1);
        assertThat(deliveries.moved()).isEqualTo(Map.of(PARTITION, 12L));
    }

    @Test
    void messagesOfQos0NeedNoAcknowledgement() {
        read(10, 20, 0);

        assertThat(sent).hasSize(10).allMatch(message -> message.endsWith("#0"));
        assertThat(position().acknowledged()).isEqualTo(20);
    }

    @Test
    void aNewConnectionGetsWhatIsNotAcknowledgedWithTheSamePacketIdsAndNothingTwice() {
        read(10, 15, 1);
        deliveries.acknowledged(1);
        deliveries.pump();
        deliveries.acknowledged(3);
        deliveries.pump();
        assertThat(sent).containsExactly("10#1", "11#2", "12#3", "13#4");
        sent.clear();

        deliveries = connect();
        assertThat(position().next).as("read again from").isEqualTo(11);
        read(11, 16, 1);
        assertThat(sent).containsExactly("11#2 again", "13#4 again");
        deliveries.acknowledged(2);
        deliveries.acknowledged(4);
        deliveries.pump();

        assertThat(sent).containsExactly("11#2 again", "13#4 again", "14#1", "15#2");
    }

    @Test
    void aClientThatDoesNotReadGetsNothingAndALimitedNumberOfBytesWait() {
        full = true;
        read(10, 20, 0);
        assertThat(sent).isEmpty();
        assertThat(deliveries.hasRoom()).isFalse();

        full = false;
        deliveries.pump();
        assertThat(sent).hasSize(10);
        assertThat(deliveries.hasRoom()).isTrue();
    }

    @Test
    void theRecordOfASessionKeepsItsSubscriptions() {
        session.subscribe(new MqttSubscription(TopicFilter.parse("a/+/#"), 1, true, false, 7));
        session.subscribe(new MqttSubscription(TopicFilter.parse("b"), 0, false, true, 0));

        MqttSession read = MqttSession.decode("client", session.encode(), 5);

        assertThat(read.subscriptions()).isEqualTo(session.subscriptions());
        assertThat(read.owner()).isEqualTo("User:a");
        assertThat(read.isExpired(100_005)).isFalse();
        assertThat(read.isExpired(100_006)).isTrue();
    }
}
