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
import io.felice.api.config.BrokerConfig;
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
 * Elects the leaders of partitions, when brokers come and go and on request, and keeps the in-sync sets to brokers that
 * are alive.
 *
 * <p>The leader is the first replica of the assignment that is alive, in sync and not about to stop; if there is none,
 * the first eligible one. If there is none either, the partition has no leader and keeps its ISR; an ISR is never empty.
 * A new leader, and a restart of the leader, raise the leader epoch. Stateless.
 */
final class Leaders {
    private static final Logger log = LoggerFactory.getLogger(Leaders.class);

    private Leaders() {}

    /** @param registered the brokers that are alive now; the view has those that were alive before */
    static ControllerResult<Void, Void> brokersChanged(ClusterConfigs configs, List<LiveRegistration> registered) {
        ClusterView before = configs.view();
        List<MetadataRecord> records = brokers(before, registered);
        ClusterView after = before.after(before.version(), records);
        Electorate electorate = new Electorate(configs.at(after), restarts(before, registered));
        electorate.addChanges(records);
        return ControllerResult.of(records);
    }

    /** The records about partitions that follow from a change of configs, which {@code configs} have already. */
    static List<MetadataRecord> configsChanged(ClusterConfigs configs) {
        List<MetadataRecord> records = new ArrayList<>();
        new Electorate(configs, new Restarts(Set.of(), Set.of())).addChanges(records);
        return records;
    }

    private static List<MetadataRecord> brokers(ClusterView view, List<LiveRegistration> registered) {
        Map<Integer, LiveRegistration> live = new TreeMap<>();
        registered.forEach(r -> live.put(r.broker().brokerId(), r));
        List<MetadataRecord> records = new ArrayList<>();
        view.brokers().forEach((id, known) -> {
            if (!live.containsKey(id)) {
                records.add(new MetadataRecord.BrokerGone(id, known.epoch()));
            }
        });
        live.forEach((id, now) -> {
            Optional<LiveBroker> known = view.broker(id);
            if (known.filter(k -> k.epoch() == now.epoch() && k.registration().equals(now.broker()))
                    .isEmpty()) {
                records.add(new MetadataRecord.BrokerRegistered(now.broker(), now.epoch()));
            }
        });
        return records;
    }

    /**
     * @param again the brokers whose process is another one than the one that the view has
     * @param emptied those of them that came back with another data directory, so that their records are gone
     */
    private record Restarts(Set<Integer> again, Set<Integer> emptied) {}

    private static Restarts restarts(ClusterView view, List<LiveRegistration> registered) {
        Set<Integer> again = new HashSet<>();
        Set<Integer> emptied = new HashSet<>();
        for (LiveRegistration live : registered) {
            BrokerRegistration broker = live.broker();
            view.lastRegistration(broker.brokerId()).ifPresent(last -> {
                if (!last.incarnation().equals(broker.incarnation())) {
                    again.add(broker.brokerId());
                }
                if (!last.storeId().equals(broker.storeId())) {
                    emptied.add(broker.brokerId());
                }
            });
        }
        return new Restarts(again, emptied);
    }

    /** The brokers after a change. */
    private record Electorate(ClusterConfigs configs, Restarts restarts) {

        void addChanges(List<MetadataRecord> records) {
            Losses unclean = new Losses();
            for (TopicView topic : configs.view().topics()) {
                Topic of = new Topic(topic.name(), configs.minInSync(topic.name()), restarts, configs);
                topic.partitions().forEach((partition, state) -> {
                    PartitionState next = after(of, state);
                    if (!next.equals(state)) {
                        records.add(new MetadataRecord.PartitionChanged(topic.topicId(), partition, next));
                        unclean.note(new TopicPartition(topic.name(), partition), state, next);
                    }
                });
            }
            unclean.warn();
        }

        private PartitionState after(Topic topic, PartitionState state) {
            NextState next = new NextState(state, topic.minInSync());
            boolean allLost = next.lose(topic::hasLost);
            boolean leads = isLive(state.leader())
                    && !restarts.again().contains(state.leader())
                    && next.isr().contains(state.leader());
            if (leads) {
                return next.isr(live(next.isr())).done();
            }
            return (allLost ? lastInSync(topic, state, next) : elected(topic, state, next)).done();
        }

        /** Prefers a replica that runs already to one that has just begun to open its logs. */
        private NextState elected(Topic topic, PartitionState state, NextState next) {
            int ready = next.firstInSync(id -> mayLead(id) && !restarts.again().contains(id));
            int inSync = ready == PartitionState.NO_LEADER ? next.firstInSync(this::mayLead) : ready;
            if (inSync != PartitionState.NO_LEADER) {
                return next.isr(live(next.isr())).ledBy(inSync);
            }
            int eligible = next.firstEligible(this::mayLead);
            if (eligible != PartitionState.NO_LEADER) {
                return next.isr(List.of(eligible)).ledBy(eligible);
            }
            return live(next.isr()).isEmpty() ? electedUncleanly(topic, next, state.replicas()) : next.leaderless();
        }

        /** No replica is left that has every committed record: the last in-sync one that returns leads all the same. */
        private NextState lastInSync(Topic topic, PartitionState state, NextState next) {
            int last = NextState.first(state.replicas().stream().filter(state.isr()::contains), this::mayLead);
            return last == PartitionState.NO_LEADER
                    ? electedUncleanly(topic, next, state.replicas())
                    : next.uncleanlyLedBy(last);
        }

        private NextState electedUncleanly(Topic topic, NextState next, List<Integer> replicas) {
            int any = configs.electsUncleanly(topic.name())
                    ? NextState.first(replicas.stream(), this::mayLead)
                    : PartitionState.NO_LEADER;
            return any == PartitionState.NO_LEADER ? next.leaderless() : next.uncleanlyLedBy(any);
        }

        private List<Integer> live(List<Integer> ids) {
            return ids.stream().filter(this::isLive).toList();
        }

        private boolean isLive(int brokerId) {
            return configs.view().brokers().containsKey(brokerId);
        }

        private boolean mayLead(int brokerId) {
            return Leaders.mayLead(configs.view(), brokerId);
        }
    }

    /** What restarted brokers have lost of a topic. */
    private record Topic(String name, int minInSync, Restarts restarts, ClusterConfigs configs) {
        boolean hasLost(int brokerId) {
            return restarts.emptied().contains(brokerId)
                    || restarts.again().contains(brokerId) && !Survival.of(configs, brokerId, name);
        }
    }

    /** The log of the leader has lost records, and its broker is alive. */
    static PartitionState withoutLog(ClusterConfigs configs, String topic, int leader, PartitionState state) {
        NextState next = new NextState(state, configs.minInSync(topic));
        boolean allLost = next.lose(id -> id == leader);
        Restarts restarts = new Restarts(Set.of(leader), Set.of());
        Topic of = new Topic(topic, configs.minInSync(topic), restarts, configs);
        Electorate electorate = new Electorate(configs, restarts);
        return (allLost ? electorate.lastInSync(of, state, next) : electorate.elected(of, state, next)).done();
    }

    /** True if the broker is alive and not about to stop. */
    static boolean mayLead(ClusterView view, int brokerId) {
        return view.broker(brokerId).filter(broker -> !broker.leaving()).isPresent();
    }

    /**
     * A broker is about to stop (controlled shutdown). Where it is the only one in sync it stays the leader, and the
     * outcome counts these partitions.
     */
    static ControllerResult<Integer, Integer> leave(ClusterConfigs configs, int brokerId, long brokerEpoch) {
        ControllerResult.Draft<Integer, Integer> draft = new ControllerResult.Draft<>();
        draft.item(brokerId, records -> {
            LiveBroker broker = known(configs.view(), brokerId, brokerEpoch);
            if (!broker.leaving()) {
                records.add(new MetadataRecord.BrokerLeaving(brokerId, brokerEpoch));
            }
            int stays = 0;
            for (TopicView topic : configs.view().topics()) {
                for (Map.Entry<Integer, PartitionState> partition :
                        topic.partitions().entrySet()) {
                    PartitionState state = partition.getValue();
                    PartitionState next = without(configs, topic.name(), brokerId, state);
                    if (!next.equals(state)) {
                        records.add(new MetadataRecord.PartitionChanged(topic.topicId(), partition.getKey(), next));
                    }
                    stays += next.leader() == brokerId ? 1 : 0;
                }
            }
            return stays;
        });
        return draft.done();
    }

    private static PartitionState without(ClusterConfigs configs, String topic, int leaving, PartitionState state) {
        if (!state.isr().contains(leaving)) {
            return state;
        }
        NextState next = new NextState(state, configs.minInSync(topic));
        int other = next.firstInSync(id -> id != leaving && mayLead(configs.view(), id));
        if (other == PartitionState.NO_LEADER) {
            return state;
        }
        next.isr(state.isr().stream().filter(id -> id != leaving).toList());
        return state.leader() == leaving ? next.ledBy(other).done() : next.done();
    }

    /** @throws io.felice.api.FeliceException STALE_BROKER_EPOCH if the broker is not alive in this broker epoch */
    static LiveBroker known(ClusterView view, int brokerId, long brokerEpoch) {
        return view.broker(brokerId)
                .filter(broker -> broker.epoch() == brokerEpoch)
                .orElseThrow(() -> ErrorCode.STALE_BROKER_EPOCH.because(
                        "Broker " + brokerId + " is not registered in broker epoch " + brokerEpoch + "."));
    }

    static ControllerResult<TopicPartition, Void> elect(
            ClusterConfigs configs, Optional<Set<TopicPartition>> partitions, boolean unclean) {
        ClusterView view = configs.view();
        ControllerResult.Draft<TopicPartition, Void> draft = new ControllerResult.Draft<>();
        if (partitions.isPresent()) {
            for (TopicPartition partition : partitions.get()) {
                draft.item(partition, records -> elect(configs, partition, unclean, records));
            }
            return draft.done();
        }
        for (TopicView topic : view.topics()) {
            topic.partitions().forEach((partition, state) -> {
                if (!isElectionNeedless(view, state, unclean)) {
                    TopicPartition key = new TopicPartition(topic.name(), partition);
                    draft.item(key, records -> elect(configs, key, unclean, records));
                }
            });
        }
        return draft.done();
    }

    private static Void elect(
            ClusterConfigs configs, TopicPartition partition, boolean unclean, List<MetadataRecord> records) {
        ClusterView view = configs.view();
        TopicView topic = Topics.known(view.topic(partition.topic()), partition.topic());
        PartitionState state = known(topic, partition);
        if (isElectionNeedless(view, state, unclean)) {
            throw ErrorCode.ELECTION_NOT_NEEDED.because("Leader election not needed for topic partition.");
        }
        NextState next = new NextState(state, configs.minInSync(topic.name()));
        PartitionState elected =
                unclean ? uncleanly(view, partition, state, next) : preferred(view, partition, state, next);
        records.add(new MetadataRecord.PartitionChanged(topic.topicId(), partition.partition(), elected));
        return null;
    }

    private static boolean isElectionNeedless(ClusterView view, PartitionState state, boolean unclean) {
        boolean led = view.brokers().containsKey(state.leader());
        return led && (unclean || state.leader() == state.replicas().get(0));
    }

    private static PartitionState preferred(
            ClusterView view, TopicPartition partition, PartitionState state, NextState next) {
        int preferred = state.replicas().get(0);
        if (!canBePreferred(view, state)) {
            throw ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE.because("The preferred leader " + preferred + " of "
                    + partition + " is not alive, is about to stop or is not in sync.");
        }
        return next.ledBy(preferred).done();
    }

    /** True if the preferred replica can lead. */
    static boolean canBePreferred(ClusterView view, PartitionState state) {
        int preferred = state.replicas().get(0);
        return mayLead(view, preferred) && state.isr().contains(preferred);
    }

    private static PartitionState uncleanly(
            ClusterView view, TopicPartition partition, PartitionState state, NextState next) {
        int clean = next.firstInSync(id -> mayLead(view, id));
        if (clean != PartitionState.NO_LEADER) {
            return next.ledBy(clean).done();
        }
        int eligible = next.firstEligible(id -> mayLead(view, id));
        if (eligible != PartitionState.NO_LEADER) {
            return next.isr(List.of(eligible)).ledBy(eligible).done();
        }
        int any = NextState.first(state.replicas().stream(), id -> mayLead(view, id));
        if (any == PartitionState.NO_LEADER) {
            throw ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE.because("No replica of " + partition + " is alive.");
        }
        Losses losses = new Losses();
        PartitionState elected = next.uncleanlyLedBy(any).done();
        losses.note(partition, state, elected);
        losses.warn();
        return elected;
    }

    /**
     * Gives partitions back to the brokers that lead too few of those that they are the preferred leaders of. Partitions
     * that are being moved are left alone.
     */
    static List<MetadataRecord> balanced(ClusterConfigs configs) {
        ClusterView view = configs.view();
        Map<Integer, int[]> preferredAndLed = new TreeMap<>();
        for (TopicView topic : view.topics()) {
            for (PartitionState state : topic.partitions().values()) {
                int[] counts = preferredAndLed.computeIfAbsent(state.replicas().get(0), id -> new int[2]);
                counts[0]++;
                counts[1] += state.leader() == state.replicas().get(0) ? 1 : 0;
            }
        }
        int percentage = Integer.parseInt(
                configs.ofBrokers(BrokerConfig.LEADER_IMBALANCE_PERCENTAGE).trim());
        preferredAndLed.values().removeIf(counts -> (counts[0] - counts[1]) * 100L <= (long) percentage * counts[0]);
        List<MetadataRecord> records = new ArrayList<>();
        for (TopicView topic : view.topics()) {
            int minInSync = configs.minInSync(topic.name());
            topic.partitions().forEach((partition, state) -> {
                int preferred = state.replicas().get(0);
                if (preferredAndLed.containsKey(preferred)
                        && state.leader() != preferred
                        && !state.isBeingReassigned()
                        && canBePreferred(view, state)) {
                    PartitionState next =
                            new NextState(state, minInSync).ledBy(preferred).done();
                    records.add(new MetadataRecord.PartitionChanged(topic.topicId(), partition, next));
                }
            });
        }
        return records;
    }

    static PartitionState known(TopicView topic, TopicPartition partition) {
        return topic.partition(partition.partition())
                .orElseThrow(() -> ErrorCode.UNKNOWN_TOPIC_OR_PARTITION.because(
                        "The topic '" + topic.name() + "' has no partition " + partition.partition() + "."));
    }

    /** The unclean elections of one change, for one line of the log. */
    private static final class Losses {
        private static final int SHOWN = 10;
        private final List<String> elected = new ArrayList<>();

        void note(TopicPartition partition, PartitionState before, PartitionState after) {
            if (after.recovering() && after.hasLeader() && after.leaderEpoch() > before.leaderEpoch()) {
                elected.add("broker " + after.leader() + " leads " + partition + ", in sync were " + before.isr());
            }
        }

        void warn() {
            if (!elected.isEmpty()) {
                log.warn(
                        "Unclean elections in {} partitions: no replica was left that has every committed record, so that"
                                + " records may be lost, and markers of transactions with them: {}{}",
                        elected.size(),
                        String.join("; ", elected.subList(0, Math.min(SHOWN, elected.size()))),
                        elected.size() > SHOWN ? "; …" : "");
            }
        }
    }
}
