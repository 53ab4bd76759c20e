package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.ConfigChange;
import io.felice.api.cluster.Admin.ConfigChange.Operation;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.ConfigKey;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.Configs;
import io.felice.api.config.TopicConfig;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterableConfig;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData.AlterConfigsResourceResponse;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Changes single configs and leaves the others as they are (KIP-339). */
@Component
@Serves(key = Apis.INCREMENTAL_ALTER_CONFIGS)
public final class IncrementalAlterConfigsHandler
        implements RequestHandler<IncrementalAlterConfigsRequestData, IncrementalAlterConfigsResponseData> {
    private static final Operation[] OPERATIONS = {Operation.SET, Operation.DELETE, Operation.APPEND, Operation.SUBTRACT
    };

    private final Admin admin;
    private final ClusterMetadata metadata;
    private final Configs configs;

    @Activate
    public IncrementalAlterConfigsHandler(
            @Reference Admin admin, @Reference ClusterMetadata metadata, @Reference Configs configs) {
        this.admin = admin;
        this.metadata = metadata;
        this.configs = configs;
    }

    @Override
    public CompletionStage<IncrementalAlterConfigsResponseData> handle(
            IncrementalAlterConfigsRequestData request, RequestContext context) {
        IncrementalAlterConfigsResponseData response = new IncrementalAlterConfigsResponseData();
        ConfigChanges changes = new ConfigChanges(admin, metadata, configs);
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

    private static List<ConfigChange> changes(AlterConfigsResource asked, ConfigResource resource) {
        List<ConfigChange> changes = new ArrayList<>();
        for (AlterableConfig config : asked.configs()) {
            Operation operation = operation(config.configOperation());
            if (operation == Operation.APPEND || operation == Operation.SUBTRACT) {
                checkList(resource, config.name(), operation);
            }
            changes.add(
                    new ConfigChange(config.name(), operation, operation == Operation.DELETE ? null : config.value()));
        }
        return changes;
    }

    private static Operation operation(byte code) {
        if (code < 0 || code >= OPERATIONS.length) {
            throw ErrorCode.INVALID_REQUEST.because("Unknown operation type " + code);
        }
        return OPERATIONS[code];
    }

    private static void checkList(ConfigResource resource, String name, Operation operation) {
        ConfigKey key =
                resource.type() == ConfigResource.Type.TOPIC ? TopicConfig.KEYS.get(name) : BrokerConfig.key(name);
        if (key == null || key.type() != ConfigKey.Type.LIST) {
            throw ErrorCode.INVALID_CONFIG.because("Config value "
                    + operation.name().toLowerCase(Locale.ROOT) + " is not allowed for config key: " + name);
        }
    }
}
