package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.group.Groups;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsResponseData;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroup;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroupMember;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Describes groups and their members. */
@Component
@Serves(key = Apis.DESCRIBE_GROUPS)
public final class DescribeGroupsHandler
        implements RequestHandler<DescribeGroupsRequestData, DescribeGroupsResponseData> {
    private static final short FIRST_WITH_OPERATIONS = 3;
    private static final short FIRST_WITH_GROUP_ID_NOT_FOUND = 6;

    private final Groups groups;
    private final Rights rights;

    @Activate
    public DescribeGroupsHandler(@Reference Groups groups, @Reference Rights rights) {
        this.groups = groups;
        this.rights = rights;
    }

    @Override
    public CompletionStage<DescribeGroupsResponseData> handle(
            DescribeGroupsRequestData request, RequestContext context) {
        return rights.ask(request, context, DescribeGroupsHandler::needs, this::describe);
    }

    private static List<Action> needs(DescribeGroupsRequestData request, RequestContext context) {
        if (!showsOperations(request, context)) {
            return Rights.each(Operation.DESCRIBE, ResourceType.GROUP, request.groups());
        }
        List<Action> actions = new ArrayList<>();
        request.groups().forEach(groupId -> Rights.addAll(actions, ResourceType.GROUP, groupId));
        return actions;
    }

    private static boolean showsOperations(DescribeGroupsRequestData request, RequestContext context) {
        return request.includeAuthorizedOperations() && context.apiVersion() >= FIRST_WITH_OPERATIONS;
    }

    private CompletionStage<DescribeGroupsResponseData> describe(
            DescribeGroupsRequestData request, RequestContext context, Allowed allowed) {
        boolean operations = showsOperations(request, context);
        DescribeGroupsResponseData response = new DescribeGroupsResponseData();
        Gathering<DescribeGroupsResponseData> answer = new Gathering<>(response);
        for (String groupId : request.groups()) {
            DescribedGroup group = new DescribedGroup().setGroupId(groupId);
            response.groups().add(group);
            answer.item(() -> describe(groupId, allowed), (description, failure) -> {
                if (failure == null) {
                    fill(group, description);
                    if (operations && description.error() == ErrorCode.NONE) {
                        group.setAuthorizedOperations(Rights.bits(allowed, ResourceType.GROUP, groupId));
                    }
                    if (context.apiVersion() >= FIRST_WITH_GROUP_ID_NOT_FOUND) {
                        sayIfUnknown(group, description);
                    }
                } else {
                    group.setErrorCode(Failures.codeOf(failure, context).code());
                }
            });
        }
        return answer.begun();
    }

    private CompletionStage<Groups.Description> describe(String groupId, Allowed allowed) {
        Rights.require(allowed, Operation.DESCRIBE, ResourceType.GROUP, groupId);
        return groups.describe(groupId);
    }

    private static void fill(DescribedGroup group, Groups.Description description) {
        group.setErrorCode(description.error().code());
        if (description.error() != ErrorCode.NONE) {
            return;
        }
        group.setGroupState(description.state().label())
                .setProtocolType(orEmpty(description.protocolType()))
                .setProtocolData(orEmpty(description.protocol()));
        description.members().forEach(member -> group.members().add(member(member)));
    }

    /** An unknown group is described with the state Dead. From version 6 on it also has an error. */
    private static void sayIfUnknown(DescribedGroup group, Groups.Description description) {
        if (description.error() == ErrorCode.NONE && description.state() == Groups.State.DEAD) {
            group.setErrorCode(ErrorCode.GROUP_ID_NOT_FOUND.code())
                    .setErrorMessage("Group " + group.groupId() + " not found.")
                    .setAuthorizedOperations(Integer.MIN_VALUE);
        }
    }

    private static DescribedGroupMember member(Groups.MemberDescription member) {
        return new DescribedGroupMember()
                .setMemberId(member.memberId())
                .setGroupInstanceId(member.groupInstanceId())
                .setClientId(member.clientId())
                .setClientHost(member.clientHost())
                .setMemberMetadata(member.metadata())
                .setMemberAssignment(member.assignment());
    }

    private static String orEmpty(String text) {
        return text == null ? "" : text;
    }
}
