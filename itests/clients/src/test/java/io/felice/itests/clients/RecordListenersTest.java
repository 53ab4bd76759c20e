package io.felice.itests.clients;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.RecordHeader;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.group.Groups;
import io.felice.api.listener.ReceivedRecord;
import io.felice.api.listener.RecordAppender;
import io.felice.api.listener.RecordListener;
import io.felice.api.partition.Partitions;
import io.felice.api.status.Trouble;
import io.felice.coordinator.listener.ListenerSettings;
import io.felice.coordinator.listener.Listeners;
import io.felice.itests.rig.Java;
import io.felice.itests.rig.KafkaTools;
import io.felice.testkit.FeliceNode;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.ComponentServiceObjects;

/** Record listeners in a node, beside clients of Kafka. */
@Timeout(120)
class RecordListenersTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static FeliceNode node;
    private static Admin admin;
    private final CountDownLatch released = new CountDownLatch(1);
    private Listeners listeners = listeners(Map.of());

    @BeforeAll
    static void start() {
        node = FeliceNode.inMemory()
                .config("io.felice.broker", "group.initial.rebalance.delay.ms", 0)
                .start();
        admin = Java.admin(node.bootstrap());
    }

    @AfterAll
    static void stop() {
        admin.close();
        node.close();
    }

    @AfterEach
    void close() {
        released.countDown();
        listeners.close();
    }

    private static Listeners listeners(Map<String, Object> settings) {
        ListenerSettings all = (ListenerSettings) Proxy.newProxyInstance(
                RecordListenersTest.class.getClassLoader(),
                new Class<?>[] {ListenerSettings.class},
                (proxy, method, arguments) -> settings.getOrDefault(method.getName(), method.getDefaultValue()));
        return new Listeners(
                all, node.service(Groups.class), node.service(Partitions.class), node.service(ClusterMetadata.class));
    }

    private void restart(Map<String, Object> settings) {
        listeners.close();
        listeners = listeners(settings);
    }

    private record Offered(RecordListener getService) implements ComponentServiceObjects<RecordListener> {
        @Override
        public void ungetService(RecordListener service) {
            // There is nothing to give back.
        }

        @Override
        public ServiceReference<RecordListener> getServiceReference() {
            return null;
        }
    }

    private Offered install(String name, String topics, RecordListener listener) {
        Offered offered = new Offered(listener);
        listeners.bindListener(offered, Map.of(RecordListener.NAME, name, RecordListener.TOPICS, topics));
        return offered;
    }

    private static void produce(String topic, int from, int to) {
        try (KafkaProducer<String, String> producer = Java.textProducer(node.bootstrap(), Map.of())) {
            for (int i = from; i < to; i++) {
                ProducerRecord<String, String> record = new ProducerRecord<>(topic, 0, "key", Integer.toString(i));
                record.headers().add("number", Integer.toString(i).getBytes(UTF_8));
                producer.send(record);
            }
        }
    }

    private static List<String> numbers(int from, int to) {
        List<String> numbers = new ArrayList<>();
        for (int i = from; i < to; i++) {
            numbers.add(Integer.toString(i));
        }
        return numbers;
    }

    /** Keeps the values of what it receives. */
    private static final class Keeping implements RecordListener {
        private final List<String> values = Collections.synchronizedList(new ArrayList<>());

        @Override
        public void received(ReceivedRecord record) {
            values.add(new String(record.value(), UTF_8));
        }

        void await(List<String> expected) {
            org.awaitility.Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(values)
                    .isEqualTo(expected));
        }
    }

    private static ConsumerGroupDescription describe(String group) {
        return Java.get(admin.describeConsumerGroups(List.of(group)).all()).get(group);
    }

    private static Map<TopicPartition, Long> committed(String group) {
        Map<TopicPartition, Long> offsets = new HashMap<>();
        Map<TopicPartition, OffsetAndMetadata> all =
                Java.get(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata());
        all.forEach((partition, offset) -> offsets.put(partition, offset.offset()));
        return offsets;
    }

    @Test
    void aListenerGetsEveryRecordAndKafkaShowsItsGroup() {
        Java.createTopic(node.bootstrap(), "orders", 2, Map.of());
        produce("orders", 0, 700);
        List<ReceivedRecord> received = Collections.synchronizedList(new ArrayList<>());

        install("counting", "orders", received::add);

        await().atMost(PATIENCE).until(() -> received.size() == 700);
        produce("orders", 700, 1_500);
        await().atMost(PATIENCE).until(() -> received.size() == 1_500);
        assertThat(received.stream().map(record -> new String(record.value(), UTF_8)))
                .containsExactlyElementsOf(numbers(0, 1_500));
        assertThat(received.get(1_234).offset()).isEqualTo(1_234);
        assertThat(received.get(1_234).headers())
                .extracting(RecordHeader::name, header -> new String(header.value(), UTF_8))
                .containsExactly(org.assertj.core.groups.Tuple.tuple("number", "1234"));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(committed("counting"))
                .containsExactlyInAnyOrderEntriesOf(
                        Map.of(new TopicPartition("orders", 0), 1_500L, new TopicPartition("orders", 1), 0L)));
        ConsumerGroupDescription group = describe("counting");
        assertThat(group.groupState()).isEqualTo(GroupState.STABLE);
        assertThat(group.members()).hasSize(1);
        assertThat(group.members().iterator().next().assignment().topicPartitions())
                .containsExactlyInAnyOrder(new TopicPartition("orders", 0), new TopicPartition("orders", 1));
    }

    @Test
    void aConsumerOfKafkaInTheSameGroupGetsAPartOfThePartitions() {
        Java.createTopic(node.bootstrap(), "shared", 4, Map.of());
        install("sharing", "shared", new Keeping());
        await().atMost(PATIENCE).until(() -> describe("sharing").members().size() == 1);

        try (var consumer = Java.textConsumer(node.bootstrap(), Map.of("group.id", "sharing"))) {
            consumer.subscribe(List.of("shared"));
            await().atMost(PATIENCE).until(() -> {
                consumer.poll(Duration.ofMillis(100));
                return consumer.assignment().size() == 2;
            });
        }
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(describe("sharing").members())
                        .singleElement()
                        .satisfies(member -> assertThat(member.assignment().topicPartitions())
                                .hasSize(4)));
    }

    @Test
    void anUpdatedListenerGoesOnWhereTheOldOneWas() {
        Java.createTopic(node.bootstrap(), "updated", 1, Map.of());
        Keeping old = new Keeping();
        Offered before = install("updating", "updated", old);
        produce("updated", 0, 100);
        old.await(numbers(0, 100));

        listeners.unbindListener(before);
        produce("updated", 100, 200);
        Keeping fresh = new Keeping();
        install("updating", "updated", fresh);

        fresh.await(numbers(100, 200));
        assertThat(old.values).hasSize(100);
    }

    @Test
    void kafkasToolResetsAListenerThatIsStopped() {
        Java.createTopic(node.bootstrap(), "reset", 1, Map.of());
        Keeping listener = new Keeping();
        Offered before = install("resetting", "reset", listener);
        produce("reset", 0, 50);
        listener.await(numbers(0, 50));
        listeners.unbindListener(before);
        await().atMost(PATIENCE).until(() -> describe("resetting").groupState() == GroupState.EMPTY);

        String output = KafkaTools.CONSUMER_GROUPS.run(
                "--bootstrap-server",
                node.bootstrap(),
                "--group",
                "resetting",
                "--topic",
                "reset",
                "--reset-offsets",
                "--to-offset",
                "20",
                "--execute");

        assertThat(output).contains("resetting").contains("20");
        Keeping again = new Keeping();
        install("resetting", "reset", again);
        again.await(numbers(20, 50));
    }

    @Test
    void aRecordThatFailsIsReceivedAgainBeforeTheNextOneAndTheListenerIsPausedIfItGoesOnFailing() {
        restart(Map.of("listener_failures_max", 3));
        Java.createTopic(node.bootstrap(), "failing", 1, Map.of());
        List<String> tried = Collections.synchronizedList(new ArrayList<>());

        install("failing", "failing", record -> {
            String value = new String(record.value(), UTF_8);
            tried.add(value);
            if (value.equals("1") && tried.size() == 2 || value.equals("3")) {
                throw new IllegalStateException("a mistake");
            }
        });
        produce("failing", 0, 5);

        await().atMost(PATIENCE).until(() -> listeners.troubles().size() == 1);
        assertThat(tried).containsExactly("0", "1", "1", "2", "3", "3", "3");
        assertThat(listeners.troubles())
                .extracting(Trouble::reason)
                .containsExactly("The record listener failing (a service without a component) is paused, because it"
                        + " fails: offset 3 of failing-0 was not received: java.lang.IllegalStateException: a mistake."
                        + " It is tried again once a minute, and when its bundle is updated");
        await().atMost(PATIENCE).until(() -> committed("failing").equals(Map.of(new TopicPartition("failing", 0), 3L)));
    }

    @Test
    void aListenerThatHangsGetsNothingUntilItReturnsAndOthersGoOn() {
        restart(Map.of("listener_timeout_ms", 300));
        Java.createTopic(node.bootstrap(), "hanging", 1, Map.of());
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        Keeping hung = new Keeping();
        Keeping other = new Keeping();

        install("hanging", "hanging", record -> {
            most.accumulateAndGet(inside.incrementAndGet(), Math::max);
            released.await();
            inside.decrementAndGet();
            hung.received(record);
        });
        install("other", "hanging", other);
        produce("hanging", 0, 10);

        other.await(numbers(0, 10));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(listeners.troubles())
                .extracting(Trouble::reason)
                .anyMatch(reason -> reason.startsWith("The record listener hanging (a service without a"
                        + " component) does not come back: received() runs for")));
        released.countDown();
        hung.await(numbers(0, 10));
        assertThat(most).hasValue(1);
    }

    @Test
    void aListenerAppendsWhatItCannotUseToAnotherTopic() {
        Java.createTopic(node.bootstrap(), "letters", 1, Map.of());
        Java.createTopic(node.bootstrap(), "letters.dead", 1, Map.of());
        RecordAppender appender = node.service(RecordAppender.class);

        install("dead-letters", "letters", record -> {
            if (Integer.parseInt(new String(record.value(), UTF_8)) % 10 == 7) {
                appender.append("letters.dead", 0, record.key(), record.value(), record.headers())
                        .toCompletableFuture()
                        .join();
            }
        });
        produce("letters", 0, 30);

        await().atMost(PATIENCE).untilAsserted(() -> assertThat(Java.values(node.bootstrap(), "letters.dead", 0))
                .containsExactly("7", "17", "27"));
        ConsumerRecord<String, String> first =
                Java.records(node.bootstrap(), "letters.dead", 0).get(0);
        assertThat(first.key()).isEqualTo("key");
        assertThat(first.headers().lastHeader("number").value()).isEqualTo("7".getBytes(UTF_8));
    }

    @Test
    void aListenerWithoutTopicsIsRefusedAndTheSentenceSaysWhy() {
        listeners.bindListener(new Offered(new Keeping()), Map.of(RecordListener.NAME, "aimless"));

        assertThat(listeners.troubles())
                .extracting(Trouble::reason)
                .containsExactly("The record listener aimless (a service without a component) is not used: its service"
                        + " has neither the property record.listener.topics nor record.listener.pattern");
    }
}
