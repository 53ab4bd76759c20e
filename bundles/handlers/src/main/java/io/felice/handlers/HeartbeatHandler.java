package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.group.Groups;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Extends the sessions of group members. */
@Component
@Serves(key = Apis.HEARTBEAT)
public final class HeartbeatHandler implements RequestHandler<HeartbeatRequestData, HeartbeatResponseData> {
    private final Groups groups;
    private final Rights rights;

    @Activate
    public HeartbeatHandler(@Reference Groups groups, @Reference Rights rights) {
        this.groups = groups;
        this.rights = rights;
    }

    @Override
    public CompletionStage<HeartbeatResponseData> handle(HeartbeatRequestData request, RequestContext context) {
        return rights.require(
                context, Operation.READ, ResourceType.GROUP, request.groupId(), now -> heartbeat(request, now));
    }

    private CompletionStage<HeartbeatResponseData> heartbeat(HeartbeatRequestData request, RequestContext context) {
        ErrorCode error = request.groupId().isEmpty()
                ? ErrorCode.INVALID_GROUP_ID
                : groups.heartbeat(
                        request.groupId(), request.generationId(), request.memberId(), request.groupInstanceId());
        return CompletableFuture.completedFuture(new HeartbeatResponseData().setErrorCode(error.code()));
    }
}
