package io.felice.itests.simulation;

import io.felice.api.Subscription;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicView;
import io.felice.testkit.MemoryClusterStore;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** All versions of the metadata, in the order of the log, with the rules that hold for each change. */
final class MetadataTruth {
    private final Map<Long, ClusterView> views = new HashMap<>();
    private final Map<TopicPartition, Map<Integer, Integer>> leaders = new HashMap<>();
    private ClusterView view = ClusterView.EMPTY;
    private final Changes changes;
    private final Subscription subscription;

    /** Is told of each change of a partition, in the order of the log. */
    interface Changes {
        void changed(TopicPartition partition, PartitionState before, PartitionState after);

        /** A broker runs in another process now. Comes behind the changes of partitions that follow from it. */
        void registered(int broker, UUID incarnation);
    }

    MetadataTruth(MemoryClusterStore session, Changes changes) {
        this.changes = changes;
        subscription = session.follow(new ClusterStore.Follower() {
            @Override
            public void reset(long version, List<MetadataRecord> snapshot) {
                if (version > view.version()) {
                    next(ClusterView.EMPTY.after(version, snapshot));
                }
            }

            @Override
            public void changed(long version, List<MetadataRecord> records) {
                next(view.after(version, records));
            }
        });
    }

    ClusterView view() {
        return view;
    }

    PartitionState state(TopicPartition partition) {
        return view.topic(partition.topic())
                .flatMap(topic -> topic.partition(partition.partition()))
                .orElse(null);
    }

    private void next(ClusterView after) {
        ClusterView before = view;
        view = after;
        views.put(after.version(), after);
        for (TopicView topic : after.topics()) {
            topic.partitions().forEach((number, state) -> {
                PartitionState old = before.topic(topic.topicId())
                        .flatMap(known -> known.partition(number))
                        .orElse(null);
                if (!state.equals(old)) {
                    TopicPartition partition = new TopicPartition(topic.name(), number);
                    check(partition, old, state);
                    changes.changed(partition, old, state);
                }
            });
        }
        after.brokers().forEach((id, live) -> {
            UUID now = live.registration().incarnation();
            boolean isSame = before.lastRegistration(id)
                    .filter(last -> last.incarnation().equals(now))
                    .isPresent();
            if (!isSame) {
                changes.registered(id, now);
            }
        });
    }

    private void check(TopicPartition partition, PartitionState before, PartitionState after) {
        if (!Set.copyOf(after.replicas()).containsAll(after.isr())) {
            throw new Violation(partition + " has in-sync replicas that are none: " + after);
        }
        if (after.hasLeader()) {
            if (!after.isr().contains(after.leader())) {
                throw new Violation("The leader of " + partition + " is not in sync: " + after);
            }
            Integer other = leaders.computeIfAbsent(partition, p -> new HashMap<>())
                    .putIfAbsent(after.leaderEpoch(), after.leader());
            if (other != null && other != after.leader()) {
                throw new Violation(partition + " has two leaders in epoch " + after.leaderEpoch() + ": " + other
                        + " and " + after.leader());
            }
        }
        if (before == null) {
            return;
        }
        boolean isNewTerm = after.leaderEpoch() > before.leaderEpoch();
        if (after.leaderEpoch() < before.leaderEpoch()
                || after.partitionEpoch() != before.partitionEpoch() + 1
                || (after.leader() != before.leader() && !isNewTerm)) {
            throw new Violation("The epochs of " + partition + " are wrong: " + before + " became " + after);
        }
    }

    /** A broker shows this view. */
    void compare(int broker, ClusterView shown) {
        ClusterView mine = views.get(shown.version());
        if (shown.version() == 0 || mine == null) {
            return;
        }
        boolean same = mine.brokers().equals(shown.brokers())
                && mine.topics().size() == shown.topics().size()
                && mine.topics().stream().allMatch(topic -> shown.topic(topic.topicId())
                        .filter(topic::equals)
                        .isPresent());
        if (!same) {
            throw new Violation("Broker " + broker + " shows another view at version " + shown.version());
        }
    }

    void close() {
        subscription.close();
    }
}
