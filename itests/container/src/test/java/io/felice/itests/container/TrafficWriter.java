package io.felice.itests.container;

import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Writes a thousand numbered records a second, round robin to the partitions. */
final class TrafficWriter extends TrafficClient {
    private static final int RECORD_BYTES = 100;
    private static final long INTERVAL_NANOS = 1_000_000;

    private final String topic;
    private final KafkaProducer<byte[], byte[]> producer;
    private final AtomicLong acknowledged = new AtomicLong();
    private volatile long sent;

    TrafficWriter(String bootstrap, String topic, Queue<String> failures) {
        super("writer", failures);
        this.topic = topic;
        producer = new KafkaProducer<>(
                settings(bootstrap, Map.of("linger.ms", 0)), new ByteArraySerializer(), new ByteArraySerializer());
    }

    long sent() {
        return sent;
    }

    long acknowledged() {
        return acknowledged.get();
    }

    long closedConnections() {
        return closedConnections(producer.metrics());
    }

    @Override
    void work() throws InterruptedException {
        try (producer) {
            long next = System.nanoTime();
            while (!ends()) {
                send();
                next += INTERVAL_NANOS;
                while (System.nanoTime() < next) {
                    Thread.sleep(1);
                }
            }
            producer.flush();
        }
    }

    private void send() {
        long number = sent;
        long begin = System.nanoTime();
        byte[] value = ByteBuffer.allocate(RECORD_BYTES).putLong(number).array();
        int partition = (int) (number % Traffic.PARTITIONS);
        producer.send(new ProducerRecord<>(topic, partition, null, value), (metadata, failure) -> {
            took(begin);
            if (failure == null) {
                acknowledged.incrementAndGet();
            } else {
                fail("record " + number + ": " + failure);
            }
        });
        sent = number + 1;
    }
}
