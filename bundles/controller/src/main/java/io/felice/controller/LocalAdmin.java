package io.felice.controller;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.InternalTopics;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.Outcome;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.ConfigResource;
import io.felice.api.policy.TopicChange;
import io.felice.api.security.Acl;
import io.felice.api.security.AclFilter;
import io.felice.api.security.QuotaEntity;
import io.felice.api.security.Requester;
import io.felice.api.security.ScramCredential;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.random.RandomGenerator;

/**
 * What this node decides about each request while it is the controller. The requests of topics are shown to the policies
 * first. Any thread; no method blocks.
 */
final class LocalAdmin implements Admin {
    static final int PRODUCER_IDS_PER_BLOCK = 1_000;

    /** Has requests decided in turn. */
    interface Requests {
        <K, V> CompletionStage<Decided<K, V>> submit(Function<ClusterView, ControllerResult<K, V>> decide);
    }

    private final Requests requests;
    private final Topics topics;
    private final Policies policies;
    private final Function<ClusterView, ClusterConfigs> configs;
    private final RandomGenerator random;
    private final AppliedVersions applied;
    private final ControllerRole role;
    private final Optional<Requester> requester;

    LocalAdmin(
            Requests requests,
            Topics topics,
            Policies policies,
            Function<ClusterView, ClusterConfigs> configs,
            RandomGenerator random,
            AppliedVersions applied,
            ControllerRole role) {
        this(requests, topics, policies, configs, random, applied, role, Optional.empty());
    }

    private LocalAdmin(
            Requests requests,
            Topics topics,
            Policies policies,
            Function<ClusterView, ClusterConfigs> configs,
            RandomGenerator random,
            AppliedVersions applied,
            ControllerRole role,
            Optional<Requester> requester) {
        this.random = random;
        this.applied = applied;
        this.role = role;
        this.requester = requester;
        this.requests = requests;
        this.topics = topics;
        this.policies = policies;
        this.configs = configs;
    }

    @Override
    public CompletionStage<Decided<String, CreatedTopic>> createTopics(List<NewTopic> wanted, boolean validateOnly) {
        Map<String, NewTopic> byName = new HashMap<>();
        wanted.forEach(topic -> byName.put(topic.name(), topic));
        return judged(
                (now, names, dryRun) -> topics.create(
                        configs.apply(now), names.map(all -> only(wanted, all)).orElse(wanted), dryRun || validateOnly),
                (now, name, created) -> InternalTopics.isInternal(name)
                        ? Optional.empty()
                        : Optional.of(new TopicChange.Creation(
                                name,
                                created.partitions(),
                                created.replicationFactor(),
                                byName.get(name).configs(),
                                requester)));
    }

    @Override
    public CompletionStage<Decided<String, CreatedTopic>> restoreTopic(RestoredTopic topic) {
        return requests.submit(now -> topics.restore(configs.apply(now), topic));
    }

    @Override
    public CompletionStage<Decided<UUID, Void>> deleteTopics(Set<UUID> topicIds) {
        return judged(
                (now, ids, dryRun) -> topics.delete(now, ids.orElse(topicIds), dryRun),
                (now, id, nothing) -> now.topic(id).map(topic -> new TopicChange.Deletion(topic.name(), requester)));
    }

    @Override
    public CompletionStage<Decided<String, Void>> createPartitions(
            Map<String, NewPartitions> wanted, boolean validateOnly) {
        return judged(
                (now, names, dryRun) ->
                        topics.addPartitions(configs.apply(now), only(wanted, names), dryRun || validateOnly),
                (now, name, nothing) -> now.topic(name)
                        .map(topic -> new TopicChange.MorePartitions(
                                name,
                                topic.partitions().size(),
                                wanted.get(name).totalCount(),
                                requester)));
    }

    @Override
    public CompletionStage<Decided<ConfigResource, Void>> alterConfigs(
            Map<ConfigResource, List<ConfigChange>> changes, boolean validateOnly) {
        return judged(
                (now, resources, dryRun) -> withElections(
                        now,
                        DynamicConfigs.alter(configs.apply(now), only(changes, resources), dryRun || validateOnly)),
                (now, resource, nothing) -> resource.type() == ConfigResource.Type.TOPIC
                        ? Optional.of(new TopicChange.OtherConfigs(
                                resource.name(),
                                now.configs(resource),
                                DynamicConfigs.after(configs.apply(now), resource, changes.get(resource)),
                                requester))
                        : Optional.empty());
    }

    /** A changed config may let a replica lead, or end the eligibility of others; both become visible together. */
    private <K, V> ControllerResult<K, V> withElections(ClusterView now, ControllerResult<K, V> changed) {
        return DynamicConfigs.touchesElections(changed.records())
                ? changed.and(Leaders.configsChanged(configs.apply(now.after(now.version(), changed.records()))))
                : changed;
    }

    @Override
    public CompletionStage<Decided<UserMechanism, Void>> alterUsers(
            Map<UserMechanism, Optional<ScramCredential>> changes) {
        return requests.submit(now -> Security.alterUsers(now, changes));
    }

    @Override
    public CompletionStage<Decided<Acl, Void>> createAcls(List<Acl> acls) {
        return requests.submit(now -> Security.createAcls(now, acls));
    }

    @Override
    public CompletionStage<Decided<AclFilter, Set<Acl>>> deleteAcls(List<AclFilter> filters) {
        return requests.submit(now -> Security.deleteAcls(now, filters));
    }

    @Override
    public CompletionStage<Decided<QuotaEntity, Void>> alterQuotas(
            Map<QuotaEntity, Map<String, Optional<Double>>> changes, boolean validateOnly) {
        return requests.submit(now -> Security.alterQuotas(now, changes, validateOnly));
    }

    @Override
    public CompletionStage<Decided<TopicPartition, Void>> electLeaders(
            Optional<Set<TopicPartition>> partitions, boolean unclean) {
        return requests.submit(now -> Leaders.elect(configs.apply(now), partitions, unclean));
    }

    @Override
    public CompletionStage<Decided<TopicPartition, Void>> reassign(
            Map<TopicPartition, Optional<List<Integer>>> targets) {
        return requests.submit(now -> Reassignments.reassign(configs.apply(now), targets));
    }

    @Override
    public CompletionStage<MetadataRecord.ProducerIdsAllocated> allocateProducerIds(int brokerId) {
        return requests.submit(now -> nextProducerIds(now, brokerId))
                .thenApply(answer -> answer.outcomes().get(brokerId).value());
    }

    @Override
    public CompletionStage<Decided<PartitionId, PartitionState>> alterInSync(
            int brokerId, long brokerEpoch, Map<PartitionId, InSyncChange> changes) {
        return requests.submit(now -> InSync.alter(configs.apply(now), brokerId, brokerEpoch, changes));
    }

    @Override
    public CompletionStage<Decided<Integer, Integer>> leave(int brokerId, long brokerEpoch) {
        return requests.submit(now -> Leaders.leave(configs.apply(now), brokerId, brokerEpoch));
    }

    @Override
    public CompletionStage<Decided<Integer, Integer>> drain(int brokerId, boolean begin) {
        return requests.submit(now -> Brokers.drain(configs.apply(now), random, brokerId, begin));
    }

    @Override
    public CompletionStage<Decided<Integer, Void>> removeBroker(int brokerId) {
        return requests.submit(now -> Brokers.remove(now, brokerId));
    }

    @Override
    public CompletionStage<Decided<Integer, AppliedVersion>> reportApplied(int brokerId, long version) {
        return requests.submit(now -> applied.report(now, brokerId, version));
    }

    @Override
    public Optional<Integer> controllerId() {
        return role.controllerId();
    }

    @Override
    public Optional<Instant> controllerSince() {
        return role.controllerSince();
    }

    @Override
    public Admin askedBy(Requester client) {
        return askedBy(Optional.of(client));
    }

    /** @param client empty if nobody is known to ask */
    LocalAdmin askedBy(Optional<Requester> client) {
        return new LocalAdmin(requests, topics, policies, configs, random, applied, role, client);
    }

    private static ControllerResult<Integer, MetadataRecord.ProducerIdsAllocated> nextProducerIds(
            ClusterView now, int brokerId) {
        ControllerResult.Draft<Integer, MetadataRecord.ProducerIdsAllocated> draft = new ControllerResult.Draft<>();
        draft.item(brokerId, records -> {
            MetadataRecord.ProducerIdsAllocated block =
                    new MetadataRecord.ProducerIdsAllocated(brokerId, now.nextProducerId(), PRODUCER_IDS_PER_BLOCK);
            records.add(block);
            return block;
        });
        return draft.done();
    }

    /** Decides about items of a request. */
    private interface Decision<K, V> {
        /**
         * @param items empty for all items of the request
         * @param dryRun true to change nothing
         */
        ControllerResult<K, V> decide(ClusterView now, Optional<Set<K>> items, boolean dryRun);
    }

    /** What policies are asked about an item that the controller would accept. */
    private interface Subject<K, V> {
        /** Empty if no policy is asked. */
        Optional<TopicChange> of(ClusterView now, K key, V value);
    }

    /**
     * Decides once without a change, asks the policies about what the controller would accept, and decides for good about
     * what they allow. A change that has become another one since they were asked is not made.
     */
    private <K, V> CompletionStage<Decided<K, V>> judged(Decision<K, V> decision, Subject<K, V> subject) {
        if (policies.isNone()) {
            return requests.submit(now -> decision.decide(now, Optional.empty(), false));
        }
        Map<K, TopicChange> asked = new HashMap<>();
        return requests.submit(now -> {
                    asked.clear();
                    ControllerResult<K, V> trial = decision.decide(now, Optional.empty(), true);
                    asked.putAll(changes(now, trial.outcomes(), subject));
                    return new ControllerResult<>(List.of(), trial.outcomes());
                })
                .thenCompose(trial -> policies.refusals(asked)
                        .thenCompose(refused -> requests.submit(
                                now -> decided(now, decision, subject, trial.outcomes(), asked, refused))));
    }

    private static <K, V> Map<K, TopicChange> changes(
            ClusterView now, Map<K, Outcome<V>> outcomes, Subject<K, V> subject) {
        Map<K, TopicChange> changes = new HashMap<>();
        outcomes.forEach((key, outcome) -> {
            if (!outcome.isFailed()) {
                subject.of(now, key, outcome.value()).ifPresent(change -> changes.put(key, change));
            }
        });
        return changes;
    }

    private static <K, V> ControllerResult<K, V> decided(
            ClusterView now,
            Decision<K, V> decision,
            Subject<K, V> subject,
            Map<K, Outcome<V>> trial,
            Map<K, TopicChange> asked,
            Map<K, FeliceException> refused) {
        Map<K, Outcome<V>> outcomes = new HashMap<>();
        Set<K> left = new HashSet<>();
        trial.forEach((key, outcome) -> {
            if (outcome.isFailed()) {
                outcomes.put(key, outcome);
            } else if (refused.containsKey(key)) {
                outcomes.put(key, Outcome.failed(refused.get(key)));
            } else {
                left.add(key);
            }
        });
        Map<K, Outcome<V>> again = decision.decide(now, Optional.of(left), true).outcomes();
        Map<K, TopicChange> changes = changes(now, again, subject);
        left.removeIf(key -> {
            boolean isAnother = !again.get(key).isFailed() && !Objects.equals(changes.get(key), asked.get(key));
            if (isAnother) {
                outcomes.put(
                        key,
                        Outcome.failed(ErrorCode.REQUEST_TIMED_OUT.because(
                                "The topic was changed while policies were asked about this change.")));
            }
            return isAnother;
        });
        ControllerResult<K, V> last = decision.decide(now, Optional.of(left), false);
        outcomes.putAll(last.outcomes());
        return new ControllerResult<>(last.records(), outcomes);
    }

    private static <K, T> Map<K, T> only(Map<K, T> all, Optional<Set<K>> keys) {
        Map<K, T> some = new HashMap<>(all);
        keys.ifPresent(some.keySet()::retainAll);
        return some;
    }

    private static List<NewTopic> only(List<NewTopic> all, Set<String> names) {
        return all.stream().filter(topic -> names.contains(topic.name())).toList();
    }
}
