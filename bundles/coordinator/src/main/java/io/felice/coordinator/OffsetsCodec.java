package io.felice.coordinator;

import static io.felice.api.ErrorCode.CORRUPT_MESSAGE;
import static io.felice.api.ErrorCode.UNSUPPORTED_VERSION;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.felice.api.TopicPartition;
import io.felice.coordinator.OffsetsRecord.GroupStored;
import io.felice.coordinator.OffsetsRecord.OffsetStored;
import io.felice.coordinator.OffsetsRecord.StoredGroup;
import io.felice.coordinator.OffsetsRecord.StoredMember;
import io.felice.coordinator.OffsetsRecord.StoredOffset;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads and writes the records of {@code __consumer_offsets} in Kafka's format, so that Kafka's tools can read the topic.
 * Every key and every value begins with a version (int16). Strings have an int16 length, byte arrays an int32 length.
 *
 * <pre>
 *  OffsetCommitKey    0, 1  group string, topic string, partition int32
 *  OffsetCommitValue  0     offset int64, metadata string, commitTimestamp int64
 *                     1     … and expireTimestamp int64
 *                     2     as 0
 *                     3     offset int64, leaderEpoch int32, metadata string, commitTimestamp int64
 *  GroupMetadataKey   2     group string
 *  GroupMetadataValue 0     protocolType string, generation int32, protocol string?, leader string?, members [
 *                             memberId string, clientId string, clientHost string, sessionTimeout int32,
 *                             subscription bytes, assignment bytes ]
 *                     1     … rebalanceTimeout int32 before sessionTimeout
 *                     2     … currentStateTimestamp int64 before members
 *                     3     … groupInstanceId string? after memberId
 * </pre>
 *
 * All versions are read. Written are OffsetCommitKey 1 with value 3 (value 1 if the client asked for its own retention),
 * and GroupMetadataKey 2 with value 3. Source: {@code OffsetCommitValue.json}, {@code GroupMetadataValue.json} of Kafka's group coordinator.
 */
final class OffsetsCodec {
    private static final short OFFSET_KEY = 1;
    private static final short GROUP_KEY = 2;
    private static final short OFFSET_VALUE_WITH_EXPIRY = 1;
    private static final short OFFSET_VALUE = 3;
    private static final short GROUP_VALUE = 3;
    private static final short HIGHEST_VALUE = 3;

    private OffsetsCodec() {}

    static byte[] key(OffsetsRecord record) {
        RecordWriter out = new RecordWriter();
        if (record instanceof OffsetStored offset) {
            out.int16(OFFSET_KEY)
                    .string(offset.group())
                    .string(offset.partition().topic());
            return out.int32(offset.partition().partition()).toBytes();
        }
        return out.int16(GROUP_KEY).string(record.group()).toBytes();
    }

    /** The value of the record as it is written to the log; null for a tombstone. */
    static byte[] value(OffsetsRecord record) {
        if (record instanceof OffsetStored offset) {
            return offset.value() == null ? null : value(offset.value());
        }
        GroupStored group = (GroupStored) record;
        return group.value() == null ? null : value(group.value());
    }

    private static byte[] value(StoredOffset offset) {
        RecordWriter out = new RecordWriter();
        if (offset.expireAt() == StoredOffset.BY_RETENTION) {
            out.int16(OFFSET_VALUE).int64(offset.offset()).int32(offset.leaderEpoch());
            return out.string(offset.metadata()).int64(offset.committedAt()).toBytes();
        }
        out.int16(OFFSET_VALUE_WITH_EXPIRY).int64(offset.offset()).string(offset.metadata());
        return out.int64(offset.committedAt()).int64(offset.expireAt()).toBytes();
    }

    private static byte[] value(StoredGroup group) {
        RecordWriter out = new RecordWriter();
        out.int16(GROUP_VALUE).string(group.protocolType()).int32(group.generation());
        out.string(group.protocol()).string(group.leader()).int64(group.stateSince());
        out.int32(group.members().size());
        for (StoredMember member : group.members()) {
            out.string(member.memberId()).string(member.groupInstanceId());
            out.string(member.clientId()).string(member.clientHost());
            out.int32(member.rebalanceTimeoutMs()).int32(member.sessionTimeoutMs());
            out.bytes(member.subscription()).bytes(member.assignment());
        }
        return out.toBytes();
    }

    /**
     * Reads one record; moves the positions of both buffers.
     *
     * @param value null for a tombstone
     * @throws io.felice.api.FeliceException UNSUPPORTED_VERSION if the version of the key or value is unknown (newer
     *     brokers write other records to this topic as well), CORRUPT_MESSAGE if the record cannot be read
     */
    static OffsetsRecord read(ByteBuffer key, ByteBuffer value) {
        if (key == null) {
            throw CORRUPT_MESSAGE.because("a record has no key");
        }
        try {
            short version = key.getShort();
            return switch (version) {
                case 0, OFFSET_KEY -> {
                    String group = string(key);
                    TopicPartition partition = new TopicPartition(string(key), key.getInt());
                    yield new OffsetStored(group, partition, value == null ? null : offset(value));
                }
                case GROUP_KEY -> new GroupStored(string(key), value == null ? null : group(value));
                default -> throw UNSUPPORTED_VERSION.because("a record has a key of the unknown version " + version);
            };
        } catch (BufferUnderflowException cut) {
            throw CORRUPT_MESSAGE.because("a record ends too early", cut);
        }
    }

    private static StoredOffset offset(ByteBuffer in) {
        short version = versionOf(in);
        long offset = in.getLong();
        int leaderEpoch = version >= 3 ? in.getInt() : -1;
        String metadata = string(in);
        long committedAt = in.getLong();
        long expireAt = version == 1 ? in.getLong() : StoredOffset.BY_RETENTION;
        return new StoredOffset(offset, leaderEpoch, metadata, committedAt, expireAt);
    }

    private static StoredGroup group(ByteBuffer in) {
        short version = versionOf(in);
        String protocolType = string(in);
        int generation = in.getInt();
        String protocol = nullableString(in);
        String leader = nullableString(in);
        long stateSince = version >= 2 ? in.getLong() : -1L;
        int count = in.getInt();
        List<StoredMember> members = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            members.add(member(in, version));
        }
        return new StoredGroup(protocolType, generation, protocol, leader, stateSince, members);
    }

    private static StoredMember member(ByteBuffer in, short version) {
        String memberId = string(in);
        String instanceId = version >= 3 ? nullableString(in) : null;
        String clientId = string(in);
        String clientHost = string(in);
        int rebalanceTimeout = version >= 1 ? in.getInt() : -1;
        int sessionTimeout = in.getInt();
        int rebalance = rebalanceTimeout < 0 ? sessionTimeout : rebalanceTimeout;
        return new StoredMember(
                memberId, instanceId, clientId, clientHost, rebalance, sessionTimeout, bytes(in), bytes(in));
    }

    private static short versionOf(ByteBuffer value) {
        short version = value.getShort();
        if (version < 0 || version > HIGHEST_VALUE) {
            throw UNSUPPORTED_VERSION.because("a record has a value of the unknown version " + version);
        }
        return version;
    }

    private static String string(ByteBuffer in) {
        String text = nullableString(in);
        if (text == null) {
            throw CORRUPT_MESSAGE.because("a string is null that must not be");
        }
        return text;
    }

    private static String nullableString(ByteBuffer in) {
        short length = in.getShort();
        return length < 0 ? null : utf8(in, length);
    }

    /** Decodes from the buffer's array without a copy, if there is one: loading spends most of its time here. */
    private static String utf8(ByteBuffer in, int length) {
        if (length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        if (!in.hasArray()) {
            byte[] bytes = new byte[length];
            in.get(bytes);
            return new String(bytes, UTF_8);
        }
        String text = new String(in.array(), in.arrayOffset() + in.position(), length, UTF_8);
        in.position(in.position() + length);
        return text;
    }

    private static byte[] bytes(ByteBuffer in) {
        int length = in.getInt();
        if (length < 0 || length > in.remaining()) {
            throw CORRUPT_MESSAGE.because(
                    "a byte array has the length " + length + ", but " + in.remaining() + " bytes are left");
        }
        byte[] bytes = new byte[length];
        in.get(bytes);
        return bytes;
    }
}
