package io.felice.handlers;

import io.felice.api.group.Groups;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.ListGroupsResponseData;
import org.apache.kafka.common.message.ListGroupsResponseData.ListedGroup;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Lists the groups that this node coordinates, filtered by state and type if the request asks for that. */
@Component
@Serves(key = Apis.LIST_GROUPS)
public final class ListGroupsHandler implements RequestHandler<ListGroupsRequestData, ListGroupsResponseData> {
    private static final String CLASSIC = "classic";

    private final Groups groups;
    private final Rights rights;

    @Activate
    public ListGroupsHandler(@Reference Groups groups, @Reference Rights rights) {
        this.groups = groups;
        this.rights = rights;
    }

    @Override
    public CompletionStage<ListGroupsResponseData> handle(ListGroupsRequestData request, RequestContext context) {
        return rights.ask(request, context, ListGroupsHandler::needs, this::list);
    }

    private static List<Action> needs(ListGroupsRequestData request, RequestContext context) {
        return List.of(Action.onCluster(Operation.DESCRIBE));
    }

    private CompletionStage<ListGroupsResponseData> list(
            ListGroupsRequestData request, RequestContext context, Allowed allowed) {
        return groups.list()
                .thenCompose(listed -> allowed.hasOnCluster(Operation.DESCRIBE)
                        ? CompletableFuture.completedFuture(listed)
                        : describable(listed, context))
                .handle((listed, failure) -> failure == null
                        ? answer(listed, request)
                        : new ListGroupsResponseData()
                                .setErrorCode(Failures.codeOf(failure, context).code()));
    }

    /** Without the right to describe the cluster, a client sees the groups that it may describe. */
    private CompletionStage<List<Groups.Listing>> describable(List<Groups.Listing> listed, RequestContext context) {
        List<String> names = listed.stream().map(Groups.Listing::groupId).toList();
        return rights.askMore(context, Rights.each(Operation.DESCRIBE, ResourceType.GROUP, names))
                .thenApply(allowed -> listed.stream()
                        .filter(group -> allowed.has(Operation.DESCRIBE, ResourceType.GROUP, group.groupId()))
                        .toList());
    }

    private static ListGroupsResponseData answer(List<Groups.Listing> listed, ListGroupsRequestData request) {
        Set<String> states = lowerCase(request.statesFilter());
        Set<String> types = lowerCase(request.typesFilter());
        ListGroupsResponseData response = new ListGroupsResponseData();
        for (Groups.Listing group : listed) {
            if (isAsked(states, group.state().label()) && isAsked(types, CLASSIC)) {
                response.groups().add(entry(group));
            }
        }
        return response;
    }

    private static Set<String> lowerCase(List<String> words) {
        Set<String> lowerCase = new HashSet<>();
        words.forEach(word -> lowerCase.add(word.trim().toLowerCase(Locale.ROOT)));
        return lowerCase;
    }

    private static boolean isAsked(Set<String> filter, String word) {
        return filter.isEmpty() || filter.contains(word.toLowerCase(Locale.ROOT));
    }

    private static ListedGroup entry(Groups.Listing group) {
        return new ListedGroup()
                .setGroupId(group.groupId())
                .setProtocolType(group.protocolType() == null ? "" : group.protocolType())
                .setGroupState(group.state().label())
                .setGroupType(CLASSIC);
    }
}
