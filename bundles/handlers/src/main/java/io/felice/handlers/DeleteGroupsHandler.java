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
import java.util.LinkedHashSet;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DeleteGroupsResponseData;
import org.apache.kafka.common.message.DeleteGroupsResponseData.DeletableGroupResult;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Deletes groups that have no members, with their offsets. */
@Component
@Serves(key = Apis.DELETE_GROUPS)
public final class DeleteGroupsHandler implements RequestHandler<DeleteGroupsRequestData, DeleteGroupsResponseData> {
    private final Groups groups;
    private final Rights rights;

    @Activate
    public DeleteGroupsHandler(@Reference Groups groups, @Reference Rights rights) {
        this.groups = groups;
        this.rights = rights;
    }

    @Override
    public CompletionStage<DeleteGroupsResponseData> handle(DeleteGroupsRequestData request, RequestContext context) {
        return rights.ask(request, context, DeleteGroupsHandler::needs, this::delete);
    }

    private static List<Action> needs(DeleteGroupsRequestData request, RequestContext context) {
        return Rights.each(Operation.DELETE, ResourceType.GROUP, request.groupsNames());
    }

    private CompletionStage<DeleteGroupsResponseData> delete(
            DeleteGroupsRequestData request, RequestContext context, Allowed allowed) {
        DeleteGroupsResponseData response = new DeleteGroupsResponseData();
        Gathering<DeleteGroupsResponseData> answer = new Gathering<>(response);
        for (String groupId : new LinkedHashSet<>(request.groupsNames())) {
            DeletableGroupResult result = new DeletableGroupResult().setGroupId(groupId);
            response.results().add(result);
            answer.item(() -> delete(groupId, allowed), (error, failure) -> {
                ErrorCode outcome = failure == null ? error : Failures.codeOf(failure, context);
                result.setErrorCode(outcome.code()).setErrorMessage(Failures.messageOf(failure));
            });
        }
        return answer.begun();
    }

    private CompletionStage<ErrorCode> delete(String groupId, Allowed allowed) {
        Rights.require(allowed, Operation.DELETE, ResourceType.GROUP, groupId);
        return groups.delete(groupId);
    }
}
