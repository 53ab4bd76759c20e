package io.felice.controller;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterStore.LiveRegistration;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.ClusterView.LiveBroker;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicView;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Elects the leaders of partitions, when brokers come and go and on request.
 *
 * <p>The leader is the first replica of the assignment that is alive and in sync. If there is none, the partition has
 * no leader and keeps its ISR; an ISR is never empty. A new leader, and a restart of the leader, raise the leader
 * epoch. Stateless.
 */
final class Leaders {
    private static final Logger log = LoggerFactory.getLogger(Leaders.class);

    private Leaders() {}

    /** @param registered the brokers that are alive now; {@code view} has those that were alive before */
    static ControllerResult<Void, Void> brokersChanged(ClusterView view, List<LiveRegistration> registered) {
        Map<Integer, LiveRegistration> live = new TreeMap<>();
        registered.forEach(r -> live.put(r.broker().brokerId(), r));
        List<MetadataRecord> records = new ArrayList<>();
        view.brokers().forEach((id, known) -> {
            if (!live.containsKey(id)) {
                records.add(new MetadataRecord.BrokerGone(id, known.epoch()));
            }
        });
        Set<Integer> restarted = new HashSet<>();
        Set<Integer> emptied = new HashSet<>();
        live.forEach((id, registration) -> {
            BrokerRegistration broker = registration.broker();
            Optional<LiveBroker> known = view.broker(id);
            if (known.filter(k -> k.epoch() == registration.epoch()
                            && k.registration().equals(broker))
                    .isEmpty()) {
                records.add(new MetadataRecord.BrokerRegistered(broker, registration.epoch()));
            }
            if (known.filter(k -> k.registration().incarnation().equals(broker.incarnation()))
                    .isEmpty()) {
                restarted.add(id);
            }
            if (view.storeId(id).filter(last -> !last.equals(broker.storeId())).isPresent()) {
                emptied.add(id);
            }
        });
        Electorate electorate = new Electorate(live.keySet(), restarted, emptied);
        for (TopicView topic : view.topics()) {
            topic.partitions().forEach((partition, state) -> {
                PartitionState next = electorate.after(topic.name() + "-" + partition, state);
                if (!next.equals(state)) {
                    records.add(new MetadataRecord.PartitionChanged(topic.topicId(), partition, next));
                }
            });
        }
        return ControllerResult.of(records);
    }

    /**
     * @param restarted brokers whose process is another one than before
     * @param emptied brokers that came back with another data directory, so their records are gone
     */
    private record Electorate(Set<Integer> live, Set<Integer> restarted, Set<Integer> emptied) {
        PartitionState after(String partition, PartitionState state) {
            List<Integer> stillInSync =
                    state.isr().stream().filter(id -> !emptied.contains(id)).toList();
            boolean allEmptied = stillInSync.isEmpty();
            List<Integer> isr = allEmptied ? state.isr() : stillInSync;
            boolean leads = live.contains(state.leader())
                    && !restarted.contains(state.leader())
                    && isr.contains(state.leader());
            if (leads) {
                return withIsr(state, isr);
            }
            int leader = elect(state.replicas(), isr, live);
            if (leader == PartitionState.NO_LEADER && !state.hasLeader()) {
                return withIsr(state, isr);
            }
            PartitionState elected = state.ledBy(leader, isr);
            if (allEmptied && leader != PartitionState.NO_LEADER) {
                log.warn(
                        "Every in-sync replica of {} came back with an empty data directory, so records are lost;"
                                + " broker {} leads it",
                        partition,
                        leader);
                return recovering(elected);
            }
            return elected;
        }
    }

    static ControllerResult<TopicPartition, Void> elect(
            ClusterView view, Optional<Set<TopicPartition>> partitions, boolean unclean) {
        ControllerResult.Draft<TopicPartition, Void> draft = new ControllerResult.Draft<>();
        if (partitions.isPresent()) {
            for (TopicPartition partition : partitions.get()) {
                draft.item(partition, records -> elect(view, partition, unclean, records));
            }
            return draft.done();
        }
        for (TopicView topic : view.topics()) {
            topic.partitions().forEach((partition, state) -> {
                if (!isElectionNeedless(view, state, unclean)) {
                    TopicPartition key = new TopicPartition(topic.name(), partition);
                    draft.item(key, records -> elect(view, key, unclean, records));
                }
            });
        }
        return draft.done();
    }

    private static Void elect(
            ClusterView view, TopicPartition partition, boolean unclean, List<MetadataRecord> records) {
        TopicView topic = Topics.known(view.topic(partition.topic()), partition.topic());
        PartitionState state = known(topic, partition);
        if (isElectionNeedless(view, state, unclean)) {
            throw ErrorCode.ELECTION_NOT_NEEDED.because("Leader election not needed for topic partition.");
        }
        PartitionState elected = unclean ? uncleanly(view, partition, state) : preferred(view, partition, state);
        records.add(new MetadataRecord.PartitionChanged(topic.topicId(), partition.partition(), elected));
        return null;
    }

    private static boolean isElectionNeedless(ClusterView view, PartitionState state, boolean unclean) {
        boolean led = view.brokers().containsKey(state.leader());
        return led && (unclean || state.leader() == state.replicas().get(0));
    }

    private static PartitionState preferred(ClusterView view, TopicPartition partition, PartitionState state) {
        Integer preferred = state.replicas().get(0);
        if (!view.brokers().containsKey(preferred) || !state.isr().contains(preferred)) {
            throw ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE.because(
                    "The preferred leader " + preferred + " of " + partition + " is not alive or not in sync.");
        }
        return state.ledBy(preferred, state.isr());
    }

    private static PartitionState uncleanly(ClusterView view, TopicPartition partition, PartitionState state) {
        Set<Integer> live = view.brokers().keySet();
        int clean = elect(state.replicas(), state.isr(), live);
        if (clean != PartitionState.NO_LEADER) {
            return state.ledBy(clean, state.isr());
        }
        int any = elect(state.replicas(), state.replicas(), live);
        if (any == PartitionState.NO_LEADER) {
            throw ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE.because("No replica of " + partition + " is alive.");
        }
        log.warn(
                "Unclean election: broker {} leads {} although it was not in sync; records that only brokers {} have"
                        + " are lost",
                any,
                partition,
                state.isr());
        return recovering(state.ledBy(any, List.of(any)));
    }

    static int elect(List<Integer> replicas, List<Integer> isr, Set<Integer> live) {
        return replicas.stream()
                .filter(id -> live.contains(id) && isr.contains(id))
                .findFirst()
                .orElse(PartitionState.NO_LEADER);
    }

    static PartitionState known(TopicView topic, TopicPartition partition) {
        return topic.partition(partition.partition())
                .orElseThrow(() -> ErrorCode.UNKNOWN_TOPIC_OR_PARTITION.because(
                        "The topic '" + topic.name() + "' has no partition " + partition.partition() + "."));
    }

    private static PartitionState withIsr(PartitionState state, List<Integer> isr) {
        return state.isr().equals(isr)
                ? state
                : new PartitionState(
                        state.replicas(),
                        isr,
                        state.adding(),
                        state.removing(),
                        state.leader(),
                        state.leaderEpoch(),
                        state.partitionEpoch() + 1,
                        state.recovering());
    }

    private static PartitionState recovering(PartitionState state) {
        return new PartitionState(
                state.replicas(),
                state.isr(),
                state.adding(),
                state.removing(),
                state.leader(),
                state.leaderEpoch(),
                state.partitionEpoch(),
                true);
    }
}
