package io.felice.broker;

import io.felice.api.Subscription;
import io.felice.api.partition.FollowedPartition;
import io.felice.api.partition.FollowedPartitions;
import io.felice.api.partition.FollowingListener;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells listeners which partitions this node follows. Changed on the broker's thread only, which calls the listeners. */
final class Followings implements FollowedPartitions {
    private static final Logger log = LoggerFactory.getLogger(Followings.class);

    private final Executor main;
    private final Set<FollowedPartition> followed = new LinkedHashSet<>();
    private final List<Listening> listenings = new CopyOnWriteArrayList<>();

    Followings(Executor main) {
        this.main = main;
    }

    private final class Listening implements Subscription {
        private final FollowingListener listener;
        private volatile boolean closed;

        Listening(FollowingListener listener) {
            this.listener = listener;
        }

        void tell(FollowedPartition partition, Consumer<FollowingListener> news) {
            if (closed) {
                return;
            }
            try {
                news.accept(listener);
            } catch (RuntimeException failure) {
                log.error("A listener failed when this node began or ended to follow {}", partition.id(), failure);
            }
        }

        @Override
        public void close() {
            closed = true;
            listenings.remove(this);
        }
    }

    @Override
    public Subscription listen(FollowingListener listener) {
        Listening listening = new Listening(listener);
        main.execute(() -> {
            if (listening.closed) {
                return;
            }
            listenings.add(listening);
            List.copyOf(followed).forEach(partition -> listening.tell(partition, l -> l.following(partition)));
        });
        return listening;
    }

    boolean has(FollowedPartition partition) {
        return followed.contains(partition);
    }

    void following(FollowedPartition partition) {
        followed.add(partition);
        listenings.forEach(listening -> listening.tell(partition, l -> l.following(partition)));
    }

    void ended(FollowedPartition partition) {
        if (followed.remove(partition)) {
            listenings.forEach(listening -> listening.tell(partition, l -> l.ended(partition)));
        }
    }
}
