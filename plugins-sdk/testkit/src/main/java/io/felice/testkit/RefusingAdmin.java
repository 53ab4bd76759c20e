package io.felice.testkit;

import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.ConfigResource;
import io.felice.api.security.Acl;
import io.felice.api.security.AclFilter;
import io.felice.api.security.QuotaEntity;
import io.felice.api.security.Requester;
import io.felice.api.security.ScramCredential;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;

/**
 * A controller that a test asks for nothing: each request fails with an {@link UnsupportedOperationException} that names it. A
 * test overrides the requests that it expects. Any thread.
 */
public class RefusingAdmin implements Admin {
    private final String who;

    /** @param who the part that is tested, as the beginning of the sentence in a failure, for example "a coordinator" */
    public RefusingAdmin(String who) {
        this.who = who;
    }

    private UnsupportedOperationException unexpected(String request) {
        return new UnsupportedOperationException(who + " has no use for " + request);
    }

    @Override
    public CompletionStage<Decided<String, CreatedTopic>> createTopics(List<NewTopic> wanted, boolean validateOnly) {
        throw unexpected("createTopics");
    }

    @Override
    public CompletionStage<Decided<String, CreatedTopic>> restoreTopic(RestoredTopic topic) {
        throw unexpected("restoreTopic");
    }

    @Override
    public CompletionStage<Decided<UUID, Void>> deleteTopics(Set<UUID> topicIds) {
        throw unexpected("deleteTopics");
    }

    @Override
    public CompletionStage<Decided<String, Void>> createPartitions(
            Map<String, NewPartitions> wanted, boolean validateOnly) {
        throw unexpected("createPartitions");
    }

    @Override
    public CompletionStage<Decided<ConfigResource, Void>> alterConfigs(
            Map<ConfigResource, List<ConfigChange>> changes, boolean validateOnly) {
        throw unexpected("alterConfigs");
    }

    @Override
    public CompletionStage<Decided<UserMechanism, Void>> alterUsers(
            Map<UserMechanism, Optional<ScramCredential>> changes) {
        throw unexpected("alterUsers");
    }

    @Override
    public CompletionStage<Decided<Acl, Void>> createAcls(List<Acl> acls) {
        throw unexpected("createAcls");
    }

    @Override
    public CompletionStage<Decided<AclFilter, Set<Acl>>> deleteAcls(List<AclFilter> filters) {
        throw unexpected("deleteAcls");
    }

    @Override
    public CompletionStage<Decided<QuotaEntity, Void>> alterQuotas(
            Map<QuotaEntity, Map<String, Optional<Double>>> changes, boolean validateOnly) {
        throw unexpected("alterQuotas");
    }

    @Override
    public CompletionStage<Decided<TopicPartition, Void>> electLeaders(
            Optional<Set<TopicPartition>> partitions, boolean unclean) {
        throw unexpected("electLeaders");
    }

    @Override
    public CompletionStage<Decided<TopicPartition, Void>> reassign(
            Map<TopicPartition, Optional<List<Integer>>> targets) {
        throw unexpected("reassign");
    }

    @Override
    public CompletionStage<MetadataRecord.ProducerIdsAllocated> allocateProducerIds(int brokerId) {
        throw unexpected("allocateProducerIds");
    }

    @Override
    public CompletionStage<Decided<PartitionId, PartitionState>> alterInSync(
            int brokerId, long brokerEpoch, Map<PartitionId, InSyncChange> changes) {
        throw unexpected("alterInSync");
    }

    @Override
    public CompletionStage<Decided<Integer, Integer>> leave(int brokerId, long brokerEpoch) {
        throw unexpected("leave");
    }

    @Override
    public CompletionStage<Decided<Integer, Integer>> drain(int brokerId, boolean begin) {
        throw unexpected("drain");
    }

    @Override
    public CompletionStage<Decided<Integer, Void>> removeBroker(int brokerId) {
        throw unexpected("removeBroker");
    }

    @Override
    public CompletionStage<Decided<Integer, AppliedVersion>> reportApplied(int brokerId, long version) {
        throw unexpected("reportApplied");
    }

    /** Nobody. */
    @Override
    public Optional<Integer> controllerId() {
        return Optional.empty();
    }

    /** Not known. */
    @Override
    public Optional<Instant> controllerSince() {
        return Optional.empty();
    }

    /** The same requests, whoever asks. */
    @Override
    public Admin askedBy(Requester requester) {
        return this;
    }
}
