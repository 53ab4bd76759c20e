package io.felice.itests.container;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.LongSerializer;

/** Writes numbers from zero on, without retries and with several requests in flight, until the first request fails. */
final class SingleAttempts extends Thread {
    private final String topic;
    private final KafkaProducer<byte[], Long> producer;
    private final ConcurrentLinkedQueue<Long> acknowledged = new ConcurrentLinkedQueue<>();
    private volatile boolean failed;

    SingleAttempts(String bootstrap, String topic) {
        super("single attempts");
        this.topic = topic;
        producer = new KafkaProducer<>(settings(bootstrap), new ByteArraySerializer(), new LongSerializer());
        setDaemon(true);
    }

    /** The settings of a producer that never retries a request. */
    static Map<String, Object> settings(String bootstrap) {
        return Map.of(
                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                bootstrap,
                ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG,
                false,
                ProducerConfig.RETRIES_CONFIG,
                0,
                ProducerConfig.LINGER_MS_CONFIG,
                0,
                ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG,
                10_000,
                ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG,
                20_000);
    }

    /** In the order of their acknowledgements. */
    List<Long> acknowledged() {
        return new ArrayList<>(acknowledged);
    }

    @Override
    public void run() {
        try (producer) {
            for (long number = 0; !failed; number++) {
                long sent = number;
                producer.send(new ProducerRecord<>(topic, 0, null, sent), (metadata, failure) -> {
                    if (failure == null) {
                        acknowledged.add(sent);
                    } else {
                        failed = true;
                    }
                });
                Thread.sleep(1);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
