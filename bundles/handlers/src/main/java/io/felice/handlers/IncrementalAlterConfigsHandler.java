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
import io.felice.api.log.Loggers;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
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
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

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
    private final Rights rights;
    /** Null while no bundle of this node sets log levels. */
    private volatile Loggers loggers;

    @Activate
    public IncrementalAlterConfigsHandler(
            @Reference Admin admin,
            @Reference ClusterMetadata metadata,
            @Reference Configs configs,
            @Reference Rights rights) {
        this.admin = admin;
        this.metadata = metadata;
        this.configs = configs;
        this.rights = rights;
    }

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    public void bindLoggers(Loggers levels) {
        loggers = levels;
    }

    public void unbindLoggers(Loggers levels) {
        if (loggers == levels) {
            loggers = null;
        }
    }

    @Override
    public CompletionStage<IncrementalAlterConfigsResponseData> handle(
            IncrementalAlterConfigsRequestData request, RequestContext context) {
        return rights.ask(request, context, IncrementalAlterConfigsHandler::needs, this::change);
    }

    private static List<Action> needs(IncrementalAlterConfigsRequestData request, RequestContext context) {
        List<Action> actions = new ArrayList<>();
        request.resources().forEach(asked -> ConfigChanges.action(asked.resourceType(), asked.resourceName())
                .ifPresent(actions::add));
        return actions;
    }

    private CompletionStage<IncrementalAlterConfigsResponseData> change(
            IncrementalAlterConfigsRequestData request, RequestContext context, Allowed allowed) {
        IncrementalAlterConfigsResponseData response = new IncrementalAlterConfigsResponseData();
        ConfigChanges changes = new ConfigChanges(admin.askedBy(context.requester()), metadata, configs, allowed);
        Gathering<IncrementalAlterConfigsResponseData> levels = new Gathering<>(response);
        for (AlterConfigsResource asked : request.resources()) {
            AlterConfigsResourceResponse result = new AlterConfigsResourceResponse()
                    .setResourceType(asked.resourceType())
                    .setResourceName(asked.resourceName());
            response.responses().add(result);
            boolean twice = request.resources()
                            .findAll(asked.resourceType(), asked.resourceName())
                            .size()
                    > 1;
            if (asked.resourceType() == BrokerLoggers.RESOURCE_TYPE) {
                levels.item(
                        () -> changeLevels(asked, twice, request.validateOnly(), allowed),
                        (done, failure) -> fill(result, failure, context));
                continue;
            }
            changes.add(
                    asked.resourceType(),
                    asked.resourceName(),
                    twice,
                    resource -> changes(asked, resource),
                    outcome -> result.setErrorCode(outcome.error().code()).setErrorMessage(outcome.message()),
                    context);
        }
        return changes.make(request.validateOnly(), context).thenCombine(levels.begun(), (done, filled) -> filled);
    }

    private CompletionStage<Void> changeLevels(
            AlterConfigsResource asked, boolean twice, boolean validateOnly, Allowed allowed) {
        if (twice) {
            throw ErrorCode.INVALID_REQUEST.because("Each resource must appear at most once.");
        }
        ConfigChanges.check(asked.resourceType(), asked.resourceName(), allowed);
        return new BrokerLoggers(loggers)
                .change(asked.resourceName(), metadata.brokerId(), asked.configs(), validateOnly);
    }

    private static void fill(AlterConfigsResourceResponse result, Throwable failure, RequestContext context) {
        if (failure == null) {
            result.setErrorMessage(null);
        } else {
            result.setErrorCode(Failures.codeOf(failure, context).code()).setErrorMessage(Failures.messageOf(failure));
        }
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
