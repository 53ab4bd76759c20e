package io.felice.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.TopicPartition;
import io.felice.coordinator.OffsetsRecord.GroupStored;
import io.felice.coordinator.OffsetsRecord.OffsetStored;
import io.felice.coordinator.OffsetsRecord.StoredGroup;
import io.felice.coordinator.OffsetsRecord.StoredMember;
import io.felice.coordinator.OffsetsRecord.StoredOffset;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.coordinator.group.generated.GroupMetadataKey;
import org.apache.kafka.coordinator.group.generated.GroupMetadataValue;
import org.apache.kafka.coordinator.group.generated.GroupMetadataValue.MemberMetadata;
import org.apache.kafka.coordinator.group.generated.OffsetCommitKey;
import org.apache.kafka.coordinator.group.generated.OffsetCommitValue;
import org.junit.jupiter.api.Test;

/** The records are in Kafka's format: Kafka's classes read ours, and we read theirs. */
class KafkaFormatTest {
    private static final OffsetStored OFFSET = new OffsetStored(
            "grüppe", new TopicPartition("topic", 7), new StoredOffset(42, 3, "nöte", 1_700_000_000_000L, -1));

    private static final StoredMember DYNAMIC =
            new StoredMember("m-1", null, "c", "/1.2.3.4", 300_000, 45_000, new byte[] {1, 2}, new byte[] {3});
    private static final StoredMember STATIC =
            new StoredMember("i-2", "i", "c", "/1.2.3.4", 300_000, 45_000, new byte[0], new byte[] {4, 5, 6});
    private static final GroupStored GROUP = new GroupStored(
            "g", new StoredGroup("consumer", 9, "range", "m-1", 1_700_000_000_001L, List.of(DYNAMIC, STATIC)));

    private static ByteBuffer after(byte[] bytes, int version) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        assertThat(buffer.getShort()).isEqualTo((short) version);
        return buffer;
    }

    private static OffsetsRecord read(ApiMessage key, int keyVersion, ApiMessage value, int valueVersion) {
        ByteBuffer keyBytes =
                MessageUtil.toVersionPrefixedByteBuffer((short) 0, key).putShort(0, (short) keyVersion);
        return OffsetsCodec.read(keyBytes, MessageUtil.toVersionPrefixedByteBuffer((short) valueVersion, value));
    }

    private static OffsetCommitKey kafkasOffsetKey() {
        return new OffsetCommitKey().setGroup("g").setTopic("t").setPartition(5);
    }

    private static OffsetCommitValue kafkasOffset() {
        return new OffsetCommitValue()
                .setOffset(11)
                .setLeaderEpoch(2)
                .setMetadata("n")
                .setCommitTimestamp(99)
                .setExpireTimestamp(199);
    }

    @Test
    void kafkaReadsOurOffsets() {
        ByteBuffer key = after(OffsetsCodec.key(OFFSET), 1);
        ByteBuffer value = after(OffsetsCodec.value(OFFSET), 3);

        OffsetCommitKey kafkasKey = new OffsetCommitKey(new ByteBufferAccessor(key), (short) 0);
        OffsetCommitValue kafkas = new OffsetCommitValue(new ByteBufferAccessor(value), (short) 3);

        assertThat(kafkasKey)
                .isEqualTo(new OffsetCommitKey()
                        .setGroup("grüppe")
                        .setTopic("topic")
                        .setPartition(7));
        assertThat(kafkas.offset()).isEqualTo(42);
        assertThat(kafkas.leaderEpoch()).isEqualTo(3);
        assertThat(kafkas.metadata()).isEqualTo("nöte");
        assertThat(kafkas.commitTimestamp()).isEqualTo(1_700_000_000_000L);
        assertThat(key.remaining() + value.remaining()).isZero();
    }

    @Test
    void kafkaReadsOurOffsetsWithTheirOwnRetention() {
        StoredOffset expiring = new StoredOffset(42, -1, "", 1000, 5000);
        OffsetStored record = new OffsetStored("g", new TopicPartition("t", 0), expiring);
        ByteBuffer value = after(OffsetsCodec.value(record), 1);

        OffsetCommitValue kafkas = new OffsetCommitValue(new ByteBufferAccessor(value), (short) 1);

        assertThat(kafkas.expireTimestamp()).isEqualTo(5000);
        assertThat(value.remaining()).isZero();
    }

    @Test
    void kafkaReadsOurGroups() {
        ByteBuffer key = after(OffsetsCodec.key(GROUP), 2);
        ByteBuffer value = after(OffsetsCodec.value(GROUP), 3);

        GroupMetadataKey kafkasKey = new GroupMetadataKey(new ByteBufferAccessor(key), (short) 0);
        GroupMetadataValue kafkas = new GroupMetadataValue(new ByteBufferAccessor(value), (short) 3);

        assertThat(kafkasKey.group()).isEqualTo("g");
        assertThat(kafkas).isEqualTo(kafkasGroup());
        assertThat(key.remaining() + value.remaining()).isZero();
    }

    @Test
    void kafkaReadsOurEmptyGroups() {
        GroupStored empty = new GroupStored("g", new StoredGroup("consumer", 3, null, null, 5, List.of()));
        ByteBuffer value = after(OffsetsCodec.value(empty), 3);

        GroupMetadataValue kafkas = new GroupMetadataValue(new ByteBufferAccessor(value), (short) 3);

        assertThat(kafkas.protocol()).isNull();
        assertThat(kafkas.leader()).isNull();
        assertThat(kafkas.members()).isEmpty();
    }

    @Test
    void weReadEveryVersionOfKafkasOffsets() {
        for (int version = 0; version <= 3; version++) {
            OffsetStored read = (OffsetStored) read(kafkasOffsetKey(), version % 2, kafkasOffset(), version);

            assertThat(read.group()).isEqualTo("g");
            assertThat(read.partition()).isEqualTo(new TopicPartition("t", 5));
            assertThat(read.value())
                    .isEqualTo(new StoredOffset(11, version >= 3 ? 2 : -1, "n", 99, version == 1 ? 199 : -1));
        }
    }

    @Test
    void weReadEveryVersionOfKafkasGroups() {
        for (int version = 0; version <= 3; version++) {
            int rebalance = version >= 1 ? 300_000 : 45_000;
            String instance = version >= 3 ? "i" : null;

            GroupStored read = (GroupStored) read(new GroupMetadataKey().setGroup("g"), 2, kafkasGroup(), version);

            assertThat(read.value().generation()).isEqualTo(9);
            assertThat(read.value().stateSince()).isEqualTo(version >= 2 ? 1_700_000_000_001L : -1L);
            assertThat(read.value().members()).hasSize(2);
            StoredMember member = read.value().members().get(1);
            assertThat(member.groupInstanceId()).isEqualTo(instance);
            assertThat(member.rebalanceTimeoutMs()).isEqualTo(rebalance);
            assertThat(member.assignment()).containsExactly(4, 5, 6);
        }
    }

    @Test
    void tombstonesHaveNoValue() {
        OffsetStored gone = new OffsetStored("g", new TopicPartition("t", 0), null);

        assertThat(OffsetsCodec.value(gone)).isNull();
        assertThat(OffsetsCodec.read(ByteBuffer.wrap(OffsetsCodec.key(gone)), null))
                .isEqualTo(gone);
    }

    private static GroupMetadataValue kafkasGroup() {
        return new GroupMetadataValue()
                .setProtocolType("consumer")
                .setGeneration(9)
                .setProtocol("range")
                .setLeader("m-1")
                .setCurrentStateTimestamp(1_700_000_000_001L)
                .setMembers(List.of(member(DYNAMIC), member(STATIC)));
    }

    private static MemberMetadata member(StoredMember member) {
        return new MemberMetadata()
                .setMemberId(member.memberId())
                .setGroupInstanceId(member.groupInstanceId())
                .setClientId(member.clientId())
                .setClientHost(member.clientHost())
                .setRebalanceTimeout(member.rebalanceTimeoutMs())
                .setSessionTimeout(member.sessionTimeoutMs())
                .setSubscription(member.subscription())
                .setAssignment(member.assignment());
    }
}
