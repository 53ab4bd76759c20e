package io.felice.api.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.config.ConfigResource;
import io.felice.api.security.Acl;
import io.felice.api.security.Operation;
import io.felice.api.security.QuotaEntity;
import io.felice.api.security.ResourceType;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import io.felice.api.storage.EngineTrait;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class MetadataTextTest {
    private static final UUID TOPIC = new UUID(0x0123456789abcdefL, 0xfedcba9876543210L);

    @Test
    void aPartitionIsEncodedAsReadableText() {
        PartitionState state = new PartitionState(List.of(3, 1), List.of(1), List.of(3), List.of(), 1, 7, 9, false);

        String line = MetadataText.encode(new MetadataRecord.PartitionChanged(TOPIC, 0, state));

        assertThat(line)
                .isEqualTo("partition-changed/1 topic-id=ASNFZ4mrze_-3LqYdlQyEA partition=0 replicas=3,1 isr=1 adding=3"
                        + " removing= leader=1 leader-epoch=7 partition-epoch=9 recovering=false");
    }

    @Test
    void everyTypeOfRecordIsDecodedAsItWasEncoded() {
        PartitionState state = new PartitionState(List.of(1), List.of(1), List.of(), List.of(), -1, 0, 0, true);
        BrokerRegistration broker = new BrokerRegistration(
                1,
                UUID.randomUUID(),
                UUID.randomUUID(),
                List.of(
                        new BrokerRegistration.Endpoint("PLAINTEXT", "PLAINTEXT", "::1", 9092),
                        new BrokerRegistration.Endpoint("A,B:C", "SASL_SSL", "häuser.example", 1)),
                "rack 1",
                Map.of(
                        "log", Set.of(EngineTrait.values()),
                        "a,b:c", Set.of(EngineTrait.SURVIVES_KILL),
                        "none", Set.of()),
                BrokerRegistration.LastEnd.POWER_LOST);
        for (MetadataRecord record : List.of(
                new MetadataRecord.ClusterNamed("Wjr4-_x"),
                new MetadataRecord.BrokerRegistered(broker, Long.MAX_VALUE),
                new MetadataRecord.BrokerRegistered(
                        new BrokerRegistration(0, UUID.randomUUID(), UUID.randomUUID(), List.of(), null), 1),
                new MetadataRecord.BrokerGone(1, 42),
                new MetadataRecord.BrokerLeaving(1, 42),
                new MetadataRecord.BrokerRemoved(7),
                new MetadataRecord.BrokerRefused(2, UUID.randomUUID(), "Broker 1 is here."),
                new MetadataRecord.TopicCreated(TOPIC, "a.b_c-d"),
                new MetadataRecord.TopicCreated(TOPIC, "t", "log"),
                new MetadataRecord.TopicDeleted(TOPIC),
                new MetadataRecord.PartitionChanged(TOPIC, 12, state),
                new MetadataRecord.PartitionChanged(
                        TOPIC,
                        13,
                        new PartitionState(
                                List.of(1, 2, 3), List.of(1), List.of(3, 2), List.of(), List.of(), 1, 1, 1, false)),
                new MetadataRecord.ConfigSet(ConfigResource.allBrokers(), "k", null),
                new MetadataRecord.ConfigSet(ConfigResource.topic("t"), "k", ""),
                new MetadataRecord.ConfigSet(ConfigResource.broker(1), "k", "a b\n=%\t,é€\uD83D\uDE00"),
                new MetadataRecord.CredentialSet("älice =b", ScramMechanism.SCRAM_SHA_512, credential()),
                new MetadataRecord.CredentialSet("alice", ScramMechanism.SCRAM_SHA_256, null),
                new MetadataRecord.AclAdded(acl("häuser \n=%", Acl.Pattern.PREFIXED, false)),
                new MetadataRecord.AclRemoved(acl("*", Acl.Pattern.LITERAL, true)),
                new MetadataRecord.QuotaSet(new QuotaEntity("alice", "a b=c", null), "request_percentage", 0.1),
                new MetadataRecord.QuotaSet(new QuotaEntity(null, QuotaEntity.DEFAULT, null), "k", 1e300),
                new MetadataRecord.QuotaSet(new QuotaEntity(null, null, "::1"), "k", null),
                new MetadataRecord.ProducerIdsAllocated(1, 1_000, 1_000))) {
            String line = MetadataText.encode(record);

            assertThat(line).matches("[!-~]+( [!-~]+)*");
            assertThat(MetadataText.decode(line)).contains(record);
        }
    }

    private static ScramCredential credential() {
        return new ScramCredential(new byte[] {-1, 0, 1}, new byte[] {2, 3}, new byte[] {4}, 4_096);
    }

    private static Acl acl(String name, Acl.Pattern pattern, boolean allows) {
        return new Acl(ResourceType.TOPIC, name, pattern, "User:a b", "10.0.0.1", Operation.READ, allows);
    }

    @Test
    void aCredentialIsNotShownInTheTextOfItsRecord() {
        MetadataRecord record = new MetadataRecord.CredentialSet("alice", ScramMechanism.SCRAM_SHA_512, credential());

        assertThat(record.toString()).contains("alice", "4096").doesNotContain("-1");
    }

    @Test
    void aRegistrationOfABrokerThatDoesNotSayWhichEnginesItHasIsRead() {
        String older = "broker-registered/1 id=1 epoch=2 incarnation=" + new UUID(1, 1) + " store=" + new UUID(2, 2)
                + " endpoints=";

        assertThat(enginesOf(older)).isEmpty();
        assertThat(enginesOf(older + " engines=log:SURVIVES_KILL:SURVIVES_EVERYTHING"))
                .isEqualTo(Map.of("log", Set.of(EngineTrait.SURVIVES_KILL)));
    }

    private static Map<String, Set<EngineTrait>> enginesOf(String line) {
        return ((MetadataRecord.BrokerRegistered) MetadataText.decode(line).orElseThrow())
                .broker()
                .engines();
    }

    @Test
    void aTextWithAnyCharactersIsDecodedAsItWasEncoded() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < 2_000; i++) {
            String value = random.ints(random.nextInt(20), 0, 0xD800)
                    .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                    .toString();
            MetadataRecord record = new MetadataRecord.ConfigSet(ConfigResource.topic(value), value, value);

            assertThat(MetadataText.decode(MetadataText.encode(record)))
                    .as("seed %s", seed)
                    .contains(record);
        }
    }

    @Test
    void anUnknownTypeOrVersionIsRefusedUnlessTheLineIsOptional() {
        assertThat(MetadataText.decode("?weather-changed/1 sun=yes")).isEmpty();
        assertThat(MetadataText.decode("?topic-created/9 sun=yes")).isEmpty();
        assertThat(MetadataText.decode("?cluster-named/1 id=c")).contains(new MetadataRecord.ClusterNamed("c"));
        assertFails("weather-changed/1 sun=yes", ErrorCode.UNSUPPORTED_VERSION);
        assertFails("cluster-named/2 id=c", ErrorCode.UNSUPPORTED_VERSION);
    }

    @Test
    void anUnknownFieldIsIgnored() {
        assertThat(MetadataText.decode("cluster-named/1 colour=red id=c"))
                .contains(new MetadataRecord.ClusterNamed("c"));
    }

    @Test
    void aLineThatIsNoRecordIsCorrupt() {
        assertFails("", ErrorCode.CORRUPT_MESSAGE);
        assertFails("hello", ErrorCode.CORRUPT_MESSAGE);
        assertFails("cluster-named/1", ErrorCode.CORRUPT_MESSAGE);
        assertFails("cluster-named/1 id", ErrorCode.CORRUPT_MESSAGE);
        assertFails("cluster-named/1 id=%4", ErrorCode.CORRUPT_MESSAGE);
        assertFails("broker-gone/1 id=x epoch=1", ErrorCode.CORRUPT_MESSAGE);
        assertFails("topic-deleted/1 topic-id=AAAA", ErrorCode.CORRUPT_MESSAGE);
    }

    private static void assertFails(String line, ErrorCode code) {
        assertThatThrownBy(() -> MetadataText.decode(line))
                .satisfies(
                        failure -> assertThat(FeliceException.codeOf(failure)).isEqualTo(code));
    }
}
