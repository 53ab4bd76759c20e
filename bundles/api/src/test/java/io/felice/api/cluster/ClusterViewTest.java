package io.felice.api.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.config.ConfigResource;
import io.felice.api.security.Acl;
import io.felice.api.security.Operation;
import io.felice.api.security.QuotaEntity;
import io.felice.api.security.ResourceType;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import io.felice.api.security.SecurityView;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Replaying records of the metadata log gives the right view. */
class ClusterViewTest {
    private static final UUID TOPIC = new UUID(1, 2);

    @Test
    void aCreatedTopicHasItsPartitionsAndADeletedTopicLosesItsConfigs() {
        ClusterView made = ClusterView.EMPTY.after(1, topic("t", TOPIC, 2));
        ClusterView configured =
                made.after(2, List.of(new MetadataRecord.ConfigSet(ConfigResource.topic("t"), "retention.ms", "1")));

        ClusterView gone = configured.after(3, List.of(new MetadataRecord.TopicDeleted(TOPIC)));

        assertThat(configured.topic("t").orElseThrow().partitions()).containsOnlyKeys(0, 1);
        assertThat(configured.topic(TOPIC)).isEqualTo(configured.topic("t"));
        assertThat(gone.topics()).isEmpty();
        assertThat(gone.topic(TOPIC)).isEmpty();
        assertThat(gone.configs(ConfigResource.topic("t"))).isEmpty();
        assertThat(gone.version()).isEqualTo(3);
        assertThat(made.topic("t")).isPresent();
    }

    @Test
    void aTopicThatIsDeletedAndCreatedAgainHasNothingOfTheOldTopic() {
        UUID second = new UUID(3, 4);
        ClusterView view = ClusterView.EMPTY.after(1, topic("t", TOPIC, 2));
        List<MetadataRecord> change = new ArrayList<>();
        change.add(new MetadataRecord.ConfigSet(ConfigResource.topic("t"), "k", "old"));
        change.add(new MetadataRecord.TopicDeleted(TOPIC));
        change.addAll(topic("t", second, 1));
        change.add(new MetadataRecord.ConfigSet(ConfigResource.topic("t"), "k2", "new"));

        ClusterView after = view.after(2, change);

        assertThat(after.topic("t").orElseThrow().topicId()).isEqualTo(second);
        assertThat(after.topic("t").orElseThrow().partitions()).containsOnlyKeys(0);
        assertThat(after.configs(ConfigResource.topic("t"))).isEqualTo(Map.of("k2", "new"));
        assertThat(after.topic(TOPIC)).isEmpty();
    }

    @Test
    void aBrokerGoneRecordOfAnOlderBrokerEpochHasNoEffect() {
        ClusterView view = ClusterView.EMPTY
                .after(1, List.of(new MetadataRecord.BrokerRegistered(broker(1), 10)))
                .after(2, List.of(new MetadataRecord.BrokerRegistered(broker(1), 11)));

        assertThat(view.after(3, List.of(new MetadataRecord.BrokerGone(1, 10))).brokers())
                .containsOnlyKeys(1);
        assertThat(view.after(3, List.of(new MetadataRecord.BrokerGone(1, 11))).brokers())
                .isEmpty();
    }

    @Test
    void theStoreIdOfABrokerThatIsGoneIsStillInTheViewAndInASnapshot() {
        BrokerRegistration broker = broker(1);
        ClusterView gone = ClusterView.EMPTY
                .after(1, List.of(new MetadataRecord.BrokerRegistered(broker, 10)))
                .after(2, List.of(new MetadataRecord.BrokerGone(1, 10)));

        ClusterView reloaded = ClusterView.EMPTY.after(2, gone.toRecords());

        assertThat(gone.storeId(1)).contains(broker.storeId());
        assertThat(reloaded.storeId(1)).contains(broker.storeId());
        assertThat(reloaded.brokers()).isEmpty();
        assertThat(reloaded.storeId(2)).isEmpty();
    }

    @Test
    void theNextProducerIdIsAboveAllAllocatedBlocksAlsoAfterASnapshot() {
        ClusterView view = ClusterView.EMPTY
                .after(1, List.of(new MetadataRecord.ProducerIdsAllocated(1, 0, 1_000)))
                .after(2, List.of(new MetadataRecord.ProducerIdsAllocated(2, 1_000, 1_000)));

        assertThat(view.nextProducerId()).isEqualTo(2_000);
        assertThat(ClusterView.EMPTY.after(2, view.toRecords()).nextProducerId())
                .isEqualTo(2_000);
    }

    @Test
    void replayingASnapshotOrEachChangeTwiceGivesTheSameView() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        ClusterView view = ClusterView.EMPTY;
        ClusterView twice = ClusterView.EMPTY;
        for (int version = 1; version <= 1_000; version++) {
            List<MetadataRecord> change = change(random, view);
            view = view.after(version, change);
            List<MetadataRecord> doubled = new ArrayList<>(change);
            doubled.addAll(change);
            twice = twice.after(version, doubled);
        }

        ClusterView reloaded = ClusterView.EMPTY.after(1_000, view.toRecords());

        assertThat(reloaded.toRecords()).as("seed %s", seed).containsExactlyInAnyOrderElementsOf(view.toRecords());
        assertThat(twice.toRecords()).as("seed %s", seed).containsExactlyInAnyOrderElementsOf(view.toRecords());
        int partitions = view.topics().stream()
                .mapToInt(topic -> topic.partitions().size())
                .sum();
        assertThat(List.of(view.partitionCount(), reloaded.partitionCount(), twice.partitionCount()))
                .as("seed %s", seed)
                .containsOnly(partitions);
        assertThat(reloaded.brokers()).isEqualTo(view.brokers());
    }

    private static List<MetadataRecord> change(Random random, ClusterView view) {
        UUID id = new UUID(0, random.nextInt(20));
        boolean exists = view.topic(id).isPresent();
        String name = "topic-" + id.getLeastSignificantBits();
        return switch (random.nextInt(6)) {
            case 0 -> exists ? List.of(new MetadataRecord.TopicDeleted(id)) : topic(name, id, 1 + random.nextInt(3));
            case 1 -> exists
                    ? List.of(new MetadataRecord.PartitionChanged(
                            id,
                            0,
                            view.topic(id).orElseThrow().partitions().get(0).ledBy(1, List.of(1))))
                    : List.of();
            case 2 -> List.of(new MetadataRecord.BrokerRegistered(broker(random.nextInt(3)), view.version()));
            case 3 -> List.of(new MetadataRecord.BrokerGone(random.nextInt(3), view.version() - random.nextInt(4)));
            case 4 -> List.of(new MetadataRecord.ConfigSet(
                    ConfigResource.broker(random.nextInt(2)),
                    "key-" + random.nextInt(3),
                    random.nextBoolean() ? null : "v" + random.nextInt()));
            default -> List.of(new MetadataRecord.ProducerIdsAllocated(1, view.nextProducerId(), 0));
        };
    }

    @Test
    void usersAclsAndQuotasAreReplayedAndAreInASnapshot() {
        Acl acl = new Acl(ResourceType.TOPIC, "t", Acl.Pattern.LITERAL, "User:alice", "*", Operation.READ, true);
        Acl removed = new Acl(ResourceType.GROUP, "g", Acl.Pattern.PREFIXED, "User:*", "*", Operation.ALL, false);
        QuotaEntity entity = new QuotaEntity("alice", null, null);
        ScramCredential credential = new ScramCredential(new byte[1], new byte[2], new byte[3], 4_096);
        ClusterView view = ClusterView.EMPTY
                .after(
                        1,
                        List.of(
                                new MetadataRecord.CredentialSet("alice", ScramMechanism.SCRAM_SHA_256, credential),
                                new MetadataRecord.CredentialSet("bob", ScramMechanism.SCRAM_SHA_256, credential),
                                new MetadataRecord.AclAdded(acl),
                                new MetadataRecord.AclAdded(removed),
                                new MetadataRecord.QuotaSet(entity, "k", 1.0),
                                new MetadataRecord.QuotaSet(entity, "l", 2.0)))
                .after(
                        2,
                        List.of(
                                new MetadataRecord.CredentialSet("bob", ScramMechanism.SCRAM_SHA_256, null),
                                new MetadataRecord.AclRemoved(removed),
                                new MetadataRecord.QuotaSet(entity, "k", null)));

        SecurityView expected = new SecurityView(
                Map.of("alice", Map.of(ScramMechanism.SCRAM_SHA_256, credential)),
                Set.of(acl),
                Map.of(entity, Map.of("l", 2.0)));

        assertThat(view.security()).isEqualTo(expected);
        assertThat(ClusterView.EMPTY.after(2, view.toRecords()).security()).isEqualTo(expected);
    }

    @Test
    void aChangeOfAnotherPartKeepsTheAclsTheSameObject() {
        Acl acl = new Acl(ResourceType.TOPIC, "t", Acl.Pattern.LITERAL, "User:alice", "*", Operation.READ, true);
        ClusterView view = ClusterView.EMPTY.after(1, List.of(new MetadataRecord.AclAdded(acl)));

        ClusterView after =
                view.after(2, List.of(new MetadataRecord.QuotaSet(new QuotaEntity("alice", null, null), "k", 1.0)));

        assertThat(after.security().acls()).isSameAs(view.security().acls());
        assertThat(view.after(2, topic("t", TOPIC, 1)).security()).isSameAs(view.security());
    }

    private static List<MetadataRecord> topic(String name, UUID id, int partitions) {
        List<MetadataRecord> records = new ArrayList<>();
        records.add(new MetadataRecord.TopicCreated(id, name));
        for (int partition = 0; partition < partitions; partition++) {
            records.add(new MetadataRecord.PartitionChanged(
                    id, partition, PartitionState.created(List.of(1), List.of(1), 1)));
        }
        return records;
    }

    private static BrokerRegistration broker(int id) {
        return new BrokerRegistration(id, UUID.randomUUID(), UUID.randomUUID(), List.of(), null);
    }
}
