package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.group.Groups;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.LinkedHashSet;
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

    @Activate
    public DeleteGroupsHandler(@Reference Groups groups) {
        this.groups = groups;
    }

    @Override
    public CompletionStage<DeleteGroupsResponseData> handle(DeleteGroupsRequestData request, RequestContext context) {
        DeleteGroupsResponseData response = new DeleteGroupsResponseData();
        Gathering<DeleteGroupsResponseData> answer = new Gathering<>(response);
        for (String groupId : new LinkedHashSet<>(request.groupsNames())) {
            DeletableGroupResult result = new DeletableGroupResult().setGroupId(groupId);
            response.results().add(result);
            answer.item(() -> groups.delete(groupId), (error, failure) -> {
                ErrorCode outcome = failure == null ? error : Failures.codeOf(failure, context);
                result.setErrorCode(outcome.code()).setErrorMessage(Failures.messageOf(failure));
            });
        }
        return answer.begun();
    }
}
