package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.group.Groups;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.JoinGroupResponseData.JoinGroupResponseMember;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Adds members to groups. */
@Component
@Serves(key = Apis.JOIN_GROUP)
public final class JoinGroupHandler implements RequestHandler<JoinGroupRequestData, JoinGroupResponseData> {
    private static final short FIRST_WITH_REBALANCE_TIMEOUT = 1;
    private static final short FIRST_WITH_MEMBER_ID_REQUIRED = 4;
    private static final short FIRST_WITH_NULL_PROTOCOL = 7;
    private static final short FIRST_WITH_SKIPPED_ASSIGNMENT = 9;

    private final Groups groups;
    private final Rights rights;

    @Activate
    public JoinGroupHandler(@Reference Groups groups, @Reference Rights rights) {
        this.groups = groups;
        this.rights = rights;
    }

    @Override
    public CompletionStage<JoinGroupResponseData> handle(JoinGroupRequestData request, RequestContext context) {
        return rights.require(context, Operation.READ, ResourceType.GROUP, request.groupId(), now -> add(request, now));
    }

    private CompletionStage<JoinGroupResponseData> add(JoinGroupRequestData request, RequestContext context) {
        short version = context.apiVersion();
        if (request.groupId().isEmpty()) {
            return CompletableFuture.completedFuture(
                    answer(Groups.Joined.failed(ErrorCode.INVALID_GROUP_ID, request.memberId()), version));
        }
        return groups.join(join(request, context)).thenApply(joined -> answer(joined, version));
    }

    private static Groups.Join join(JoinGroupRequestData request, RequestContext context) {
        short version = context.apiVersion();
        List<Groups.Protocol> protocols = new ArrayList<>();
        request.protocols().forEach(one -> protocols.add(new Groups.Protocol(one.name(), one.metadata())));
        int rebalanceTimeoutMs =
                version < FIRST_WITH_REBALANCE_TIMEOUT ? request.sessionTimeoutMs() : request.rebalanceTimeoutMs();
        return new Groups.Join(
                request.groupId(),
                request.memberId(),
                request.groupInstanceId(),
                context.clientId(),
                context.connection().host(),
                version >= FIRST_WITH_MEMBER_ID_REQUIRED,
                version >= FIRST_WITH_SKIPPED_ASSIGNMENT,
                Duration.ofMillis(request.sessionTimeoutMs()),
                Duration.ofMillis(rebalanceTimeoutMs),
                request.protocolType(),
                protocols,
                request.reason());
    }

    private static JoinGroupResponseData answer(Groups.Joined joined, short version) {
        String protocol = joined.protocolName();
        JoinGroupResponseData response = new JoinGroupResponseData()
                .setErrorCode(joined.error().code())
                .setGenerationId(joined.generationId())
                .setProtocolType(joined.protocolType())
                .setProtocolName(protocol == null && version < FIRST_WITH_NULL_PROTOCOL ? "" : protocol)
                .setLeader(joined.leaderId())
                .setMemberId(joined.memberId())
                .setSkipAssignment(joined.skipAssignment() && version >= FIRST_WITH_SKIPPED_ASSIGNMENT);
        joined.members().forEach(member -> response.members().add(member(member)));
        return response;
    }

    private static JoinGroupResponseMember member(Groups.JoinedMember member) {
        return new JoinGroupResponseMember()
                .setMemberId(member.memberId())
                .setGroupInstanceId(member.groupInstanceId())
                .setMetadata(member.metadata());
    }
}
