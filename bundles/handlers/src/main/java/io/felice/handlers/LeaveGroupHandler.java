package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.group.Groups;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupResponseData.MemberResponse;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Removes members from a group; several at a time from version 3 on. */
@Component
@Serves(key = Apis.LEAVE_GROUP)
public final class LeaveGroupHandler implements RequestHandler<LeaveGroupRequestData, LeaveGroupResponseData> {
    private static final short FIRST_WITH_MANY = 3;

    private final Groups groups;
    private final Rights rights;

    @Activate
    public LeaveGroupHandler(@Reference Groups groups, @Reference Rights rights) {
        this.groups = groups;
        this.rights = rights;
    }

    @Override
    public CompletionStage<LeaveGroupResponseData> handle(LeaveGroupRequestData request, RequestContext context) {
        return rights.require(
                context, Operation.READ, ResourceType.GROUP, request.groupId(), now -> leave(request, now));
    }

    private CompletionStage<LeaveGroupResponseData> leave(LeaveGroupRequestData request, RequestContext context) {
        if (request.groupId().isEmpty()) {
            return CompletableFuture.completedFuture(
                    new LeaveGroupResponseData().setErrorCode(ErrorCode.INVALID_GROUP_ID.code()));
        }
        if (context.apiVersion() < FIRST_WITH_MANY) {
            return groups.leave(request.groupId(), List.of(new Groups.Leaving(request.memberId(), null, null)))
                    .thenApply(LeaveGroupHandler::single);
        }
        List<Groups.Leaving> leaving = request.members().stream()
                .map(member -> new Groups.Leaving(member.memberId(), member.groupInstanceId(), member.reason()))
                .toList();
        return groups.leave(request.groupId(), leaving).thenApply(left -> many(leaving, left));
    }

    private static LeaveGroupResponseData single(Groups.Left left) {
        boolean whole = left.error() != ErrorCode.NONE || left.members().isEmpty();
        ErrorCode error = whole ? left.error() : left.members().get(0);
        return new LeaveGroupResponseData().setErrorCode(error.code());
    }

    private static LeaveGroupResponseData many(List<Groups.Leaving> leaving, Groups.Left left) {
        LeaveGroupResponseData response =
                new LeaveGroupResponseData().setErrorCode(left.error().code());
        for (int i = 0; i < left.members().size(); i++) {
            response.members()
                    .add(new MemberResponse()
                            .setMemberId(leaving.get(i).memberId())
                            .setGroupInstanceId(leaving.get(i).groupInstanceId())
                            .setErrorCode(left.members().get(i).code()));
        }
        return response;
    }
}
