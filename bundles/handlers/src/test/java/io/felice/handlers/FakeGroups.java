package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.group.Groups;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A group "g" with one member "m" and the committed offset 5 for t-0. Keeps every request; all answers can be set to
 * one error.
 */
final class FakeGroups implements Groups {
    final List<Object> asked = new ArrayList<>();

    private ErrorCode error = ErrorCode.NONE;

    void fail(ErrorCode error) {
        this.error = error;
    }

    private <T> CompletionStage<T> done(T answer) {
        return CompletableFuture.completedFuture(answer);
    }

    @Override
    public CompletionStage<Integer> coordinatorOf(String groupId) {
        asked.add(groupId);
        return error == ErrorCode.NONE
                ? done(FakeCluster.BROKER)
                : CompletableFuture.failedFuture(error.because("no coordinator"));
    }

    @Override
    public CompletionStage<Joined> join(Join request) {
        asked.add(request);
        if (error != ErrorCode.NONE) {
            return done(Joined.failed(error, request.memberId()));
        }
        return done(new Joined(
                ErrorCode.NONE,
                3,
                request.protocolType(),
                "range",
                "m",
                "m",
                true,
                List.of(new JoinedMember("m", "instance", new byte[] {1}))));
    }

    @Override
    public CompletionStage<Synced> sync(Sync request) {
        asked.add(request);
        return done(
                error == ErrorCode.NONE
                        ? new Synced(ErrorCode.NONE, "consumer", "range", new byte[] {2})
                        : Synced.failed(error));
    }

    @Override
    public ErrorCode heartbeat(String groupId, int generationId, String memberId, String groupInstanceId) {
        return error;
    }

    @Override
    public CompletionStage<Left> leave(String groupId, List<Leaving> members) {
        asked.addAll(members);
        if (error != ErrorCode.NONE) {
            return done(new Left(error, List.of()));
        }
        return done(new Left(
                ErrorCode.NONE,
                members.stream()
                        .map(member -> member.memberId().equals("m") ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID)
                        .toList()));
    }

    @Override
    public CompletionStage<Map<TopicPartition, ErrorCode>> commit(
            String groupId,
            int generationId,
            String memberId,
            String groupInstanceId,
            Map<TopicPartition, OffsetToCommit> offsets) {
        asked.add(offsets);
        Map<TopicPartition, ErrorCode> outcomes = new HashMap<>();
        offsets.keySet().forEach(id -> outcomes.put(id, error));
        return done(outcomes);
    }

    @Override
    public CompletionStage<FetchedOffsets> fetchOffsets(
            String groupId, Optional<List<TopicPartition>> partitions, boolean requireStable) {
        asked.add(partitions);
        return done(new FetchedOffsets(
                error, Map.of(new TopicPartition("t", 0), new CommittedOffset(5, 4, "note", ErrorCode.NONE))));
    }

    @Override
    public CompletionStage<DeletedOffsets> deleteOffsets(String groupId, Set<TopicPartition> partitions) {
        Map<TopicPartition, ErrorCode> outcomes = new HashMap<>();
        partitions.forEach(id -> outcomes.put(id, ErrorCode.NONE));
        return done(new DeletedOffsets(error, outcomes));
    }

    @Override
    public CompletionStage<Description> describe(String groupId) {
        if (!groupId.equals("g")) {
            return done(new Description(error, groupId, State.DEAD, "", "", List.of()));
        }
        MemberDescription member =
                new MemberDescription("m", "instance", "client", "/127.0.0.1", new byte[] {1}, new byte[] {2});
        return done(new Description(error, "g", State.STABLE, "consumer", "range", List.of(member)));
    }

    @Override
    public CompletionStage<List<Listing>> list() {
        return error == ErrorCode.NONE
                ? done(List.of(
                        new Listing("g", "consumer", State.STABLE), new Listing("connect", "connect", State.EMPTY)))
                : CompletableFuture.failedFuture(error.because("loading"));
    }

    @Override
    public CompletionStage<ErrorCode> delete(String groupId) {
        return done(groupId.equals("g") ? ErrorCode.NON_EMPTY_GROUP : error);
    }
}
