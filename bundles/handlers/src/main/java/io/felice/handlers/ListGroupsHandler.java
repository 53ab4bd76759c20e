package io.felice.handlers;

import io.felice.api.group.Groups;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
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

    @Activate
    public ListGroupsHandler(@Reference Groups groups) {
        this.groups = groups;
    }

    @Override
    public CompletionStage<ListGroupsResponseData> handle(ListGroupsRequestData request, RequestContext context) {
        Set<String> states = lowerCase(request.statesFilter());
        Set<String> types = lowerCase(request.typesFilter());
        return groups.list().handle((listed, failure) -> {
            ListGroupsResponseData response = new ListGroupsResponseData();
            if (failure != null) {
                return response.setErrorCode(Failures.codeOf(failure, context).code());
            }
            for (Groups.Listing group : listed) {
                if (isAsked(states, group.state().label()) && isAsked(types, CLASSIC)) {
                    response.groups().add(entry(group));
                }
            }
            return response;
        });
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
