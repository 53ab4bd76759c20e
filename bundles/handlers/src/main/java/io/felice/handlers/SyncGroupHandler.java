package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.group.Groups;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Returns to each member its assignment, which the leader of the group has sent. */
@Component
@Serves(key = Apis.SYNC_GROUP)
public final class SyncGroupHandler implements RequestHandler<SyncGroupRequestData, SyncGroupResponseData> {
    private static final short FIRST_WITH_PROTOCOL = 5;

    private final Groups groups;
    private final Rights rights;

    @Activate
    public SyncGroupHandler(@Reference Groups groups, @Reference Rights rights) {
        this.groups = groups;
        this.rights = rights;
    }

    @Override
    public CompletionStage<SyncGroupResponseData> handle(SyncGroupRequestData request, RequestContext context) {
        return rights.require(
                context, Operation.READ, ResourceType.GROUP, request.groupId(), now -> sync(request, now));
    }

    private CompletionStage<SyncGroupResponseData> sync(SyncGroupRequestData request, RequestContext context) {
        if (request.groupId().isEmpty()) {
            return CompletableFuture.completedFuture(answer(Groups.Synced.failed(ErrorCode.INVALID_GROUP_ID)));
        }
        boolean protocolMissing = request.protocolType() == null || request.protocolName() == null;
        if (context.apiVersion() >= FIRST_WITH_PROTOCOL && protocolMissing) {
            return CompletableFuture.completedFuture(
                    answer(Groups.Synced.failed(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)));
        }
        return groups.sync(sync(request)).thenApply(SyncGroupHandler::answer);
    }

    private static Groups.Sync sync(SyncGroupRequestData request) {
        Map<String, byte[]> assignments = new HashMap<>();
        request.assignments().forEach(one -> assignments.put(one.memberId(), one.assignment()));
        return new Groups.Sync(
                request.groupId(),
                request.generationId(),
                request.memberId(),
                request.groupInstanceId(),
                request.protocolType(),
                request.protocolName(),
                assignments);
    }

    private static SyncGroupResponseData answer(Groups.Synced synced) {
        return new SyncGroupResponseData()
                .setErrorCode(synced.error().code())
                .setProtocolType(synced.protocolType())
                .setProtocolName(synced.protocolName())
                .setAssignment(synced.assignment());
    }
}
