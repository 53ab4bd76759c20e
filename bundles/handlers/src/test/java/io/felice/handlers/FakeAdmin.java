package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.Outcome;
import io.felice.api.config.ConfigResource;
import io.felice.api.security.Acl;
import io.felice.api.security.AclFilter;
import io.felice.api.security.QuotaEntity;
import io.felice.api.security.Requester;
import io.felice.api.security.ScramCredential;
import io.felice.testkit.RefusingAdmin;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Collectors;

/** A controller that makes every change at once, or fails every change, or never answers. */
final class FakeAdmin extends RefusingAdmin {
    final List<Object> asked = new ArrayList<>();
    /** Who has asked, in turn. */
    final List<Requester> requesters = new ArrayList<>();

    private final FakeCluster cluster;
    private final Map<Object, Outcome<?>> refusals = new HashMap<>();
    private Optional<CompletableFuture<?>> instead = Optional.empty();

    FakeAdmin(FakeCluster cluster) {
        super("no client");
        this.cluster = cluster;
    }

    void refuse(Object item, ErrorCode error, String message) {
        refusals.put(item, Outcome.failed(error, message));
    }

    void fail(ErrorCode error) {
        instead = Optional.of(CompletableFuture.failedFuture(error.because("the controller says so")));
    }

    void hang() {
        instead = Optional.of(new CompletableFuture<>());
    }

    @SuppressWarnings("unchecked")
    private <K, V> CompletionStage<Decided<K, V>> decide(Iterable<K> items, Function<K, V> done) {
        items.forEach(asked::add);
        if (instead.isPresent()) {
            return (CompletionStage<Decided<K, V>>) (CompletionStage<?>) instead.get();
        }
        Map<K, Outcome<V>> outcomes = new HashMap<>();
        for (K item : items) {
            Outcome<?> refusal = refusals.get(item);
            outcomes.put(item, refusal == null ? Outcome.of(done.apply(item)) : (Outcome<V>) refusal);
        }
        return CompletableFuture.completedFuture(new Decided<>(cluster.view().version(), outcomes));
    }

    @Override
    public CompletionStage<Decided<String, CreatedTopic>> createTopics(List<NewTopic> topics, boolean validateOnly) {
        Map<String, NewTopic> byName = new HashMap<>();
        topics.forEach(topic -> byName.put(topic.name(), topic));
        asked.addAll(topics);
        return decide(byName.keySet(), name -> create(byName.get(name), validateOnly));
    }

    private CreatedTopic create(NewTopic topic, boolean validateOnly) {
        int partitions = topic.assignments().isEmpty()
                ? topic.partitions()
                : topic.assignments().size();
        UUID id = validateOnly ? new UUID(0, 1) : cluster.topic(topic.name(), partitions);
        if (!validateOnly) {
            topic.configs().forEach((key, value) -> cluster.config(ConfigResource.topic(topic.name()), key, value));
        }
        return new CreatedTopic(id, partitions, topic.replicationFactor());
    }

    @Override
    public CompletionStage<Decided<UUID, Void>> deleteTopics(Set<UUID> topicIds) {
        return decide(topicIds, id -> {
            cluster.delete(id);
            return null;
        });
    }

    @Override
    public CompletionStage<Decided<String, Void>> createPartitions(
            Map<String, NewPartitions> topics, boolean validateOnly) {
        asked.add(topics);
        return decide(topics.keySet(), name -> null);
    }

    @Override
    public CompletionStage<Decided<ConfigResource, Void>> alterConfigs(
            Map<ConfigResource, List<ConfigChange>> changes, boolean validateOnly) {
        asked.add(changes);
        return decide(changes.keySet(), resource -> {
            changes.get(resource).forEach(change -> cluster.config(resource, change.key(), change.value()));
            return null;
        });
    }

    @Override
    public CompletionStage<Decided<UserMechanism, Void>> alterUsers(
            Map<UserMechanism, Optional<ScramCredential>> changes) {
        asked.add(changes);
        return decide(changes.keySet(), item -> null);
    }

    @Override
    public CompletionStage<Decided<Acl, Void>> createAcls(List<Acl> acls) {
        return decide(acls, acl -> null);
    }

    @Override
    public CompletionStage<Decided<AclFilter, Set<Acl>>> deleteAcls(List<AclFilter> filters) {
        Set<Acl> acls = cluster.view().security().acls();
        return decide(filters, filter -> acls.stream().filter(filter::finds).collect(Collectors.toSet()));
    }

    @Override
    public CompletionStage<Decided<QuotaEntity, Void>> alterQuotas(
            Map<QuotaEntity, Map<String, Optional<Double>>> changes, boolean validateOnly) {
        asked.add(changes);
        return decide(changes.keySet(), entity -> null);
    }

    @Override
    public CompletionStage<Decided<TopicPartition, Void>> electLeaders(
            Optional<Set<TopicPartition>> partitions, boolean unclean) {
        Set<TopicPartition> all = Set.of(new TopicPartition("t", 0), new TopicPartition("t", 1));
        return decide(partitions.orElse(all), partition -> null);
    }

    @Override
    public CompletionStage<Decided<TopicPartition, Void>> reassign(
            Map<TopicPartition, Optional<List<Integer>>> targets) {
        asked.add(targets);
        return decide(targets.keySet(), partition -> null);
    }

    @Override
    public CompletionStage<MetadataRecord.ProducerIdsAllocated> allocateProducerIds(int brokerId) {
        return CompletableFuture.completedFuture(new MetadataRecord.ProducerIdsAllocated(brokerId, 0, 1000));
    }

    @Override
    public CompletionStage<Decided<Integer, Void>> removeBroker(int broker) {
        return decide(List.of(broker), id -> null);
    }

    @Override
    public Optional<Integer> controllerId() {
        return Optional.of(FakeCluster.BROKER);
    }

    @Override
    public Admin askedBy(Requester requester) {
        requesters.add(requester);
        return this;
    }
}
