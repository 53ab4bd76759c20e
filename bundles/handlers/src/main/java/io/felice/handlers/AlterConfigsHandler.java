package io.felice.handlers;

import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.ConfigChange;
import io.felice.api.cluster.Admin.ConfigChange.Operation;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.Configs;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.AlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.AlterConfigsRequestData.AlterableConfig;
import org.apache.kafka.common.message.AlterConfigsResponseData;
import org.apache.kafka.common.message.AlterConfigsResponseData.AlterConfigsResourceResponse;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Replaces all configs of a resource. A config that the request does not name goes back to its default. */
@Component
@Serves(key = Apis.ALTER_CONFIGS)
public final class AlterConfigsHandler implements RequestHandler<AlterConfigsRequestData, AlterConfigsResponseData> {
    private final Admin admin;
    private final ClusterMetadata metadata;
    private final Configs configs;
    private final Rights rights;

    @Activate
    public AlterConfigsHandler(
            @Reference Admin admin,
            @Reference ClusterMetadata metadata,
            @Reference Configs configs,
            @Reference Rights rights) {
        this.admin = admin;
        this.metadata = metadata;
        this.configs = configs;
        this.rights = rights;
    }

    @Override
    public CompletionStage<AlterConfigsResponseData> handle(AlterConfigsRequestData request, RequestContext context) {
        return rights.ask(request, context, AlterConfigsHandler::needs, this::alter);
    }

    private static List<Action> needs(AlterConfigsRequestData request, RequestContext context) {
        List<Action> actions = new ArrayList<>();
        request.resources().forEach(asked -> ConfigChanges.action(asked.resourceType(), asked.resourceName())
                .ifPresent(actions::add));
        return actions;
    }

    private CompletionStage<AlterConfigsResponseData> alter(
            AlterConfigsRequestData request, RequestContext context, Allowed allowed) {
        AlterConfigsResponseData response = new AlterConfigsResponseData();
        ConfigChanges changes = new ConfigChanges(admin.askedBy(context.requester()), metadata, configs, allowed);
        for (AlterConfigsResource asked : request.resources()) {
            AlterConfigsResourceResponse result = new AlterConfigsResourceResponse()
                    .setResourceType(asked.resourceType())
                    .setResourceName(asked.resourceName());
            response.responses().add(result);
            changes.add(
                    asked.resourceType(),
                    asked.resourceName(),
                    request.resources()
                                    .findAll(asked.resourceType(), asked.resourceName())
                                    .size()
                            > 1,
                    resource -> changes(asked, resource),
                    outcome -> result.setErrorCode(outcome.error().code()).setErrorMessage(outcome.message()),
                    context);
        }
        return changes.make(request.validateOnly(), context).thenApply(done -> response);
    }

    private List<ConfigChange> changes(AlterConfigsResource asked, ConfigResource resource) {
        List<ConfigChange> changes = new ArrayList<>();
        Set<String> named = new HashSet<>();
        for (AlterableConfig config : asked.configs()) {
            named.add(config.name());
            changes.add(new ConfigChange(config.name(), Operation.SET, config.value()));
        }
        for (String key : metadata.view().configs(resource).keySet()) {
            if (!named.contains(key)) {
                changes.add(new ConfigChange(key, Operation.DELETE, null));
            }
        }
        return changes;
    }
}
