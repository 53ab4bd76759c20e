package io.felice.controller;

import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.ConfigResource;
import io.felice.api.security.Acl;
import io.felice.api.security.AclFilter;
import io.felice.api.security.QuotaEntity;
import io.felice.api.security.ScramCredential;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/**
 * The requests of {@link Admin} as calls with a name and arguments, which another broker can decide too. Each says whether it
 * may be decided twice.
 */
abstract class AdminCalls implements Admin {
    /**
     * Any thread.
     *
     * @param method the method of {@link Admin} that {@code step} calls with {@code arguments}
     * @param isHarmless true if a request that was decided may be decided again
     */
    abstract <T> CompletionStage<T> call(
            String method, boolean isHarmless, Function<Admin, CompletionStage<T>> step, Object... arguments);

    @Override
    public CompletionStage<Decided<String, CreatedTopic>> createTopics(List<NewTopic> wanted, boolean validateOnly) {
        return call(
                "createTopics", validateOnly, here -> here.createTopics(wanted, validateOnly), wanted, validateOnly);
    }

    @Override
    public CompletionStage<Decided<String, CreatedTopic>> restoreTopic(RestoredTopic topic) {
        return call("restoreTopic", false, here -> here.restoreTopic(topic), topic);
    }

    @Override
    public CompletionStage<Decided<UUID, Void>> deleteTopics(Set<UUID> topicIds) {
        return call("deleteTopics", false, here -> here.deleteTopics(topicIds), topicIds);
    }

    @Override
    public CompletionStage<Decided<String, Void>> createPartitions(
            Map<String, NewPartitions> wanted, boolean validateOnly) {
        return call(
                "createPartitions",
                validateOnly,
                here -> here.createPartitions(wanted, validateOnly),
                wanted,
                validateOnly);
    }

    @Override
    public CompletionStage<Decided<ConfigResource, Void>> alterConfigs(
            Map<ConfigResource, List<ConfigChange>> changes, boolean validateOnly) {
        return call("alterConfigs", true, here -> here.alterConfigs(changes, validateOnly), changes, validateOnly);
    }

    @Override
    public CompletionStage<Decided<UserMechanism, Void>> alterUsers(
            Map<UserMechanism, Optional<ScramCredential>> changes) {
        return call(
                "alterUsers",
                changes.values().stream().allMatch(Optional::isPresent),
                here -> here.alterUsers(changes),
                changes);
    }

    @Override
    public CompletionStage<Decided<Acl, Void>> createAcls(List<Acl> acls) {
        return call("createAcls", true, here -> here.createAcls(acls), acls);
    }

    @Override
    public CompletionStage<Decided<AclFilter, Set<Acl>>> deleteAcls(List<AclFilter> filters) {
        return call("deleteAcls", false, here -> here.deleteAcls(filters), filters);
    }

    @Override
    public CompletionStage<Decided<QuotaEntity, Void>> alterQuotas(
            Map<QuotaEntity, Map<String, Optional<Double>>> changes, boolean validateOnly) {
        return call("alterQuotas", true, here -> here.alterQuotas(changes, validateOnly), changes, validateOnly);
    }

    @Override
    public CompletionStage<Decided<TopicPartition, Void>> electLeaders(
            Optional<Set<TopicPartition>> partitions, boolean unclean) {
        return call("electLeaders", false, here -> here.electLeaders(partitions, unclean), partitions, unclean);
    }

    @Override
    public CompletionStage<Decided<TopicPartition, Void>> reassign(
            Map<TopicPartition, Optional<List<Integer>>> targets) {
        return call(
                "reassign",
                targets.values().stream().allMatch(Optional::isPresent),
                here -> here.reassign(targets),
                targets);
    }

    @Override
    public CompletionStage<MetadataRecord.ProducerIdsAllocated> allocateProducerIds(int brokerId) {
        return call("allocateProducerIds", true, here -> here.allocateProducerIds(brokerId), brokerId);
    }

    @Override
    public CompletionStage<Decided<PartitionId, PartitionState>> alterInSync(
            int brokerId, long brokerEpoch, Map<PartitionId, InSyncChange> changes) {
        return call(
                "alterInSync",
                true,
                here -> here.alterInSync(brokerId, brokerEpoch, changes),
                brokerId,
                brokerEpoch,
                changes);
    }

    @Override
    public CompletionStage<Decided<Integer, Integer>> leave(int brokerId, long brokerEpoch) {
        return call("leave", true, here -> here.leave(brokerId, brokerEpoch), brokerId, brokerEpoch);
    }

    @Override
    public CompletionStage<Decided<Integer, Integer>> drain(int brokerId, boolean begin) {
        return call("drain", true, here -> here.drain(brokerId, begin), brokerId, begin);
    }

    @Override
    public CompletionStage<Decided<Integer, Void>> removeBroker(int brokerId) {
        return call("removeBroker", false, here -> here.removeBroker(brokerId), brokerId);
    }

    @Override
    public CompletionStage<Decided<Integer, AppliedVersion>> reportApplied(int brokerId, long version) {
        return call("reportApplied", true, here -> here.reportApplied(brokerId, version), brokerId, version);
    }
}
