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
 * Consumer groups of the classic protocol and their committed offsets, for the groups this node coordinates.
 *
 * <p>From any thread; nothing blocks. An expected failure is in the error field of an answer; the stage does not fail. The
 * error is NOT_COORDINATOR for a group that another node coordinates, COORDINATOR_LOAD_IN_PROGRESS for a group that is being
 * loaded. Metadata and assignments of members are opaque bytes, whatever the protocol type. Byte arrays are not copied:
 * neither caller nor callee may change them.
 */
@ProviderType
public interface Groups {
    /**
     * The broker that coordinates this group. Creates {@code __consumer_offsets} if the topic does not exist.
     *
     * @return a broker id; fails with COORDINATOR_NOT_AVAILABLE, INVALID_GROUP_ID
     */
    CompletionStage<Integer> coordinatorOf(String groupId);

    /** Completes when the rebalance has a generation, or fails. */
    CompletionStage<Joined> join(Join request);

    /** Completes when the leader's assignment is in the log. */
    CompletionStage<Synced> sync(Sync request);

    /** Records that the member is alive. The answer REBALANCE_IN_PROGRESS tells the member to join again. */
    ErrorCode heartbeat(String groupId, int generationId, String memberId, String groupInstanceId);

    /** Removes members. The outcomes are in the order of {@code members}; an error of the group is in {@link Left#error}. */
    CompletionStage<Left> leave(String groupId, List<Leaving> members);

    /**
     * Commits offsets. Completes when the offsets are in the log.
     *
     * @param generationId -1 if the client is not a member of the group (a consumer without a group, an offset reset)
     * @return an outcome for each partition
     */
    CompletionStage<Map<TopicPartition, ErrorCode>> commit(
            String groupId,
            int generationId,
            String memberId,
            String groupInstanceId,
            Map<TopicPartition, OffsetToCommit> offsets);

    /** @param partitions empty for all partitions of which the group has a committed offset */
    CompletionStage<FetchedOffsets> fetchOffsets(
            String groupId, Optional<List<TopicPartition>> partitions, boolean requireStable);

    /** Errors: GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP; per partition GROUP_SUBSCRIBED_TO_TOPIC. */
    CompletionStage<DeletedOffsets> deleteOffsets(String groupId, Set<TopicPartition> partitions);

    /** A group that does not exist is described as DEAD, without an error, as Kafka does up to DescribeGroups v5. */
    CompletionStage<Description> describe(String groupId);

    /** The groups that this node coordinates. Fails with COORDINATOR_LOAD_IN_PROGRESS while any of them is being loaded. */
    CompletionStage<List<Listing>> list();

    /** Errors: GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP. */
    CompletionStage<ErrorCode> delete(String groupId);

    /** The states of a classic group, with their names in DescribeGroups. */
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

        public String label() {
            return label;
        }
    }

    /**
     * A member asks to join.
     *
     * @param memberId {@code ""} for a new member
     * @param groupInstanceId null for a dynamic member
     * @param needsMemberId true from JoinGroup v4 on: a new dynamic member first gets its id, with MEMBER_ID_REQUIRED
     * @param canSkipAssignment true from JoinGroup v9 on (KIP-814)
     * @param protocols the assignment strategies that the member supports, in the order of its preference
     * @param reason why the member joins, for the log; null if the client does not say
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

    /** An assignment strategy, with the metadata that the member sends for it. */
    record Protocol(String name, byte[] metadata) {}

    /** @param members filled for the leader only */
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

    record JoinedMember(String memberId, String groupInstanceId, byte[] metadata) {}

    /**
     * A member asks for its assignment; the leader sends the assignments of all members.
     *
     * @param protocolType null before SyncGroup v5, as is {@code protocolName}
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

    record Synced(ErrorCode error, String protocolType, String protocolName, byte[] assignment) {
        public static Synced failed(ErrorCode error) {
            return new Synced(error, null, null, new byte[0]);
        }
    }

    /** @param memberId may be {@code ""} if {@code groupInstanceId} is given */
    record Leaving(String memberId, String groupInstanceId, String reason) {}

    record Left(ErrorCode error, List<ErrorCode> members) {
        public Left {
            members = List.copyOf(members);
        }
    }

    /**
     * @param leaderEpoch -1 if the consumer does not send it
     * @param metadata a text of the consumer's choice, never null
     * @param expireAt milliseconds since the epoch, if the client asks for its own retention (v2 to v4); else -1
     */
    record OffsetToCommit(long offset, int leaderEpoch, String metadata, long expireAt) {}

    /** @param offset -1 if no offset is committed */
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
