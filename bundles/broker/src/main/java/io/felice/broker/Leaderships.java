package io.felice.broker;

import io.felice.api.Subscription;
import io.felice.api.partition.LeadershipListener;
import io.felice.api.partition.Partition;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells listeners which partitions this node leads. Changed on the broker's thread only, which calls the listeners. */
final class Leaderships {
    private static final Logger log = LoggerFactory.getLogger(Leaderships.class);

    private final Executor main;
    private final Map<Partition, Integer> led = new LinkedHashMap<>();
    private final List<Listening> listenings = new CopyOnWriteArrayList<>();

    Leaderships(Executor main) {
        this.main = main;
    }

    private final class Listening implements Subscription {
        private final String topic;
        private final LeadershipListener listener;
        private volatile boolean closed;

        Listening(String topic, LeadershipListener listener) {
            this.topic = topic;
            this.listener = listener;
        }

        void tell(Partition partition, Consumer<LeadershipListener> news) {
            if (closed || !partition.id().topic().equals(topic)) {
                return;
            }
            try {
                news.accept(listener);
            } catch (RuntimeException failure) {
                log.error("A listener failed when the leadership of {} changed", partition.id(), failure);
            }
        }

        @Override
        public void close() {
            closed = true;
            listenings.remove(this);
        }
    }

    Subscription listen(String topic, LeadershipListener listener) {
        Listening listening = new Listening(topic, listener);
        main.execute(() -> {
            listenings.add(listening);
            led.forEach((partition, epoch) -> listening.tell(partition, l -> l.leading(partition, epoch)));
        });
        return listening;
    }

    void leading(Partition partition) {
        int epoch = partition.leaderEpoch();
        led.put(partition, epoch);
        listenings.forEach(listening -> listening.tell(partition, l -> l.leading(partition, epoch)));
    }

    void resigned(Partition partition) {
        Integer epoch = led.remove(partition);
        if (epoch != null) {
            listenings.forEach(listening -> listening.tell(partition, l -> l.resigned(partition, epoch)));
        }
    }
}
