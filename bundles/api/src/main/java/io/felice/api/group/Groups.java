package io.felice.api.group;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The consumer groups that this node coordinates: the classic group protocol (JoinGroup, SyncGroup, Heartbeat,
 * LeaveGroup) and committed offsets. Source: Kafka protocol guide and KIP-345 (static members).
 *
 * <p>Any thread may call the methods; they do not block. An expected failure is in the error field of an answer, and
 * the stage does not fail, unless a method says otherwise. The error is NOT_COORDINATOR for a group that another node
 * coordinates, and COORDINATOR_LOAD_IN_PROGRESS for a group whose log is being read. The metadata and assignments of
 * members are opaque bytes for every protocol type. Byte arrays are not copied: neither caller nor callee may change
 * them.
 */
@ProviderType
public interface Groups {
    /**
     * The broker that coordinates this group: the leader of the group's partition of {@code __consumer_offsets}.
     * Creates that topic if it does not exist.
     *
     * @return a broker id; the stage fails with COORDINATOR_NOT_AVAILABLE or INVALID_GROUP_ID
     */
    CompletionStage<Integer> coordinatorOf(String groupId);

    /** Adds a member or lets it rejoin. Completes when the rebalance has a generation, or with an error. */
    CompletionStage<Joined> join(Join request);

    /** Returns the assignment of a member. Completes when the leader's assignments are in the log, or with an error. */
    CompletionStage<Synced> sync(Sync request);

    /**
     * Extends the session of a member.
     *
     * @return NONE, an error, or REBALANCE_IN_PROGRESS if the member must join again
     */
    ErrorCode heartbeat(String groupId, int generationId, String memberId, String groupInstanceId);

    /**
     * Removes members. {@link Left#members} has an error code for each member, {@link Left#error} that of the group.
     */
    CompletionStage<Left> leave(String groupId, List<Leaving> members);

    /**
     * Commits offsets. Completes when the offsets are in the log.
     *
     * @param generationId -1 if the client is not a member, for example a consumer that assigns its partitions itself,
     *     or a tool that resets offsets
     * @return an error code for each partition
     */
    CompletionStage<Map<TopicPartition, ErrorCode>> commit(
            String groupId,
            int generationId,
            String memberId,
            String groupInstanceId,
            Map<TopicPartition, OffsetToCommit> offsets);

    /**
     * The committed offsets of a group.
     *
     * @param partitions empty for all partitions for which the group has a committed offset
     * @param requireStable has no effect, because there are no transactions whose offsets are pending (KIP-447)
     */
    CompletionStage<FetchedOffsets> fetchOffsets(
            String groupId, Optional<List<TopicPartition>> partitions, boolean requireStable);

    /**
     * Deletes committed offsets (KIP-496). Errors of the group: GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP. Error of a
     * partition: GROUP_SUBSCRIBED_TO_TOPIC.
     */
    CompletionStage<DeletedOffsets> deleteOffsets(String groupId, Set<TopicPartition> partitions);

    /**
     * Describes a group and its members. A group that does not exist has the state DEAD and no error, as in Kafka up to
     * DescribeGroups v5.
     */
    CompletionStage<Description> describe(String groupId);

    /**
     * The groups that this node coordinates. The stage fails with COORDINATOR_LOAD_IN_PROGRESS while the log of any of
     * them is being read.
     */
    CompletionStage<List<Listing>> list();

    /** Deletes a group with its committed offsets. Errors: GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP. */
    CompletionStage<ErrorCode> delete(String groupId);

    /** The states of a classic group. */
    enum State {
        EMPTY("Empty"),
        PREPARING_REBALANCE("PreparingRebalance"),
        COMPLETING_REBALANCE("CompletingRebalance"),
        STABLE("Stable"),
        DEAD("Dead");

        private final String label;

        State(String label) {
            this.label = label;
        }

        /** The name of the state in DescribeGroups and ListGroups. */
        public String label() {
            return label;
        }
    }

    /**
     * The JoinGroup request of a member.
     *
     * @param memberId {@code ""} for a new member
     * @param groupInstanceId null for a dynamic member, not null for a static member (KIP-345)
     * @param clientHost the client's address, for example {@code /127.0.0.1}
     * @param needsMemberId true from JoinGroup v4 on: a new dynamic member first gets an id, with the error
     *     MEMBER_ID_REQUIRED, and joins again with this id (KIP-394)
     * @param canSkipAssignment true from JoinGroup v9 on: a static leader that rejoins need not assign again (KIP-814)
     * @param sessionTimeout a member without a heartbeat for so long is removed
     * @param rebalanceTimeout the longest time that a rebalance waits for the member
     * @param protocols the assignment strategies that the member supports, in the order of its preference
     * @param reason why the member joins, for log lines (KIP-800); null if the client does not send a reason
     */
    record Join(
            String groupId,
            String memberId,
            String groupInstanceId,
            String clientId,
            String clientHost,
            boolean needsMemberId,
            boolean canSkipAssignment,
            Duration sessionTimeout,
            Duration rebalanceTimeout,
            String protocolType,
            List<Protocol> protocols,
            String reason) {
        public Join {
            protocols = List.copyOf(protocols);
        }
    }

    /** An assignment strategy with the metadata of one member. For a consumer, the metadata has its subscription. */
    record Protocol(String name, byte[] metadata) {}

    /**
     * The JoinGroup response.
     *
     * @param generationId -1 with an error
     * @param protocolName the chosen assignment strategy; null with an error
     * @param leaderId the member that assigns the partitions
     * @param skipAssignment true if the leader must not assign again (KIP-814)
     * @param members all members in the response to the leader, none in the responses to others
     */
    record Joined(
            ErrorCode error,
            int generationId,
            String protocolType,
            String protocolName,
            String leaderId,
            String memberId,
            boolean skipAssignment,
            List<JoinedMember> members) {
        public Joined {
            members = List.copyOf(members);
        }

        public static Joined failed(ErrorCode error, String memberId) {
            return new Joined(error, -1, null, null, "", memberId, false, List.of());
        }
    }

    /** A member, with its metadata for the chosen assignment strategy. */
    record JoinedMember(String memberId, String groupInstanceId, byte[] metadata) {}

    /**
     * The SyncGroup request of a member.
     *
     * @param protocolType null before SyncGroup v5
     * @param protocolName null before SyncGroup v5
     * @param assignments by member id, from the leader; empty from other members
     */
    record Sync(
            String groupId,
            int generationId,
            String memberId,
            String groupInstanceId,
            String protocolType,
            String protocolName,
            Map<String, byte[]> assignments) {
        public Sync {
            assignments = Map.copyOf(assignments);
        }
    }

    /** The SyncGroup response: the assignment of the member that asked, empty with an error. */
    record Synced(ErrorCode error, String protocolType, String protocolName, byte[] assignment) {
        public static Synced failed(ErrorCode error) {
            return new Synced(error, null, null, new byte[0]);
        }
    }

    /**
     * A member to remove.
     *
     * @param memberId may be {@code ""} if {@code groupInstanceId} is not null
     * @param reason for log lines (KIP-800); null if the client does not send a reason
     */
    record Leaving(String memberId, String groupInstanceId, String reason) {}

    /** @param members an error code for each member, in the order of the request; empty if {@code error} is not NONE */
    record Left(ErrorCode error, List<ErrorCode> members) {
        public Left {
            members = List.copyOf(members);
        }
    }

    /**
     * An offset that a client commits for one partition.
     *
     * @param offset the offset of the next record that the consumer reads
     * @param leaderEpoch the leader epoch of the last record that the consumer read (KIP-320); -1 if the client does
     *     not send the epoch
     * @param metadata any text that the client stores with the offset; never null
     * @param expireAt when the offset expires, in milliseconds since the epoch, if the client sets a retention time
     *     (OffsetCommit v2 to v4); -1 if {@code offsets.retention.minutes} applies
     */
    record OffsetToCommit(long offset, int leaderEpoch, String metadata, long expireAt) {}

    /**
     * The committed offset of one partition.
     *
     * @param offset -1 if no offset is committed
     */
    record CommittedOffset(long offset, int leaderEpoch, String metadata, ErrorCode error) {
        public static CommittedOffset none(ErrorCode error) {
            return new CommittedOffset(-1L, -1, "", error);
        }
    }

    record FetchedOffsets(ErrorCode error, Map<TopicPartition, CommittedOffset> offsets) {
        public FetchedOffsets {
            offsets = Map.copyOf(offsets);
        }
    }

    record DeletedOffsets(ErrorCode error, Map<TopicPartition, ErrorCode> partitions) {
        public DeletedOffsets {
            partitions = Map.copyOf(partitions);
        }
    }

    record Description(
            ErrorCode error,
            String groupId,
            State state,
            String protocolType,
            String protocol,
            List<MemberDescription> members) {
        public Description {
            members = List.copyOf(members);
        }
    }

    record MemberDescription(
            String memberId,
            String groupInstanceId,
            String clientId,
            String clientHost,
            byte[] metadata,
            byte[] assignment) {}

    record Listing(String groupId, String protocolType, State state) {}
}
