package io.felice.handlers;

import io.felice.api.TopicNames;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.config.ConfigEntry;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.Configs;
import io.felice.api.log.Loggers;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.api.security.Operation;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.message.DescribeConfigsResponseData;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResourceResult;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResult;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsSynonym;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** Shows configs with their values, synonyms, types and documentation. */
@Component
@Serves(key = Apis.DESCRIBE_CONFIGS)
public final class DescribeConfigsHandler
        implements RequestHandler<DescribeConfigsRequestData, DescribeConfigsResponseData> {
    private final Configs configs;
    private final ClusterMetadata metadata;
    private final Rights rights;
    /** Null while no bundle of this node sets log levels. */
    private volatile Loggers loggers;

    @Activate
    public DescribeConfigsHandler(
            @Reference Configs configs, @Reference ClusterMetadata metadata, @Reference Rights rights) {
        this.configs = configs;
        this.metadata = metadata;
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
    public CompletionStage<DescribeConfigsResponseData> handle(
            DescribeConfigsRequestData request, RequestContext context) {
        return rights.ask(request, context, DescribeConfigsHandler::needs, this::describe);
    }

    private static List<Action> needs(DescribeConfigsRequestData request, RequestContext context) {
        List<Action> actions = new ArrayList<>();
        request.resources().forEach(asked -> ConfigResources.action(
                        Operation.DESCRIBE_CONFIGS, asked.resourceType(), asked.resourceName())
                .ifPresent(actions::add));
        return actions;
    }

    private CompletionStage<DescribeConfigsResponseData> describe(
            DescribeConfigsRequestData request, RequestContext context, Allowed allowed) {
        DescribeConfigsResponseData response = new DescribeConfigsResponseData();
        for (DescribeConfigsResource asked : request.resources()) {
            DescribeConfigsResult result = new DescribeConfigsResult()
                    .setResourceType(asked.resourceType())
                    .setResourceName(asked.resourceName());
            response.results().add(result);
            try {
                ConfigResources.require(
                        allowed, Operation.DESCRIBE_CONFIGS, asked.resourceType(), asked.resourceName());
                describe(asked, request, result);
            } catch (RuntimeException failure) {
                result.setErrorCode(Failures.codeOf(failure, context).code())
                        .setErrorMessage(Failures.messageOf(failure))
                        .setConfigs(new ArrayList<>());
            }
        }
        return CompletableFuture.completedFuture(response);
    }

    private void describe(
            DescribeConfigsResource asked, DescribeConfigsRequestData request, DescribeConfigsResult result) {
        if (asked.resourceType() == BrokerLoggers.RESOURCE_TYPE) {
            result.configs()
                    .addAll(new BrokerLoggers(loggers)
                            .describe(asked.resourceName(), metadata.brokerId(), asked.configurationKeys()));
            return;
        }
        if (asked.resourceType() == ConfigResource.Type.TOPIC.code()) {
            TopicNames.check(asked.resourceName());
        }
        ConfigResource resource = ConfigResources.of(asked.resourceType(), asked.resourceName(), metadata);
        boolean onlyDynamic = resource.equals(ConfigResource.allBrokers());
        List<String> keys = asked.configurationKeys();
        for (ConfigEntry entry : configs.describe(resource)) {
            boolean wanted =
                    keys == null || keys.isEmpty() || keys.contains(entry.key().name());
            if (wanted && (!onlyDynamic || entry.source() == ConfigEntry.Source.DYNAMIC_DEFAULT_BROKER)) {
                result.configs().add(config(entry, request));
            }
        }
    }

    private static DescribeConfigsResourceResult config(ConfigEntry entry, DescribeConfigsRequestData request) {
        boolean secret = entry.key().isSensitive();
        DescribeConfigsResourceResult config = new DescribeConfigsResourceResult()
                .setName(entry.key().name())
                .setValue(secret ? null : entry.value())
                .setReadOnly(!entry.key().dynamic())
                .setConfigSource(entry.source().code())
                .setIsSensitive(secret)
                .setConfigType(entry.key().type().code())
                .setDocumentation(request.includeDocumentation() ? entry.key().documentation() : null);
        if (request.includeSynonyms()) {
            for (ConfigEntry.Synonym synonym : entry.synonyms()) {
                config.synonyms()
                        .add(new DescribeConfigsSynonym()
                                .setName(synonym.name())
                                .setValue(secret ? null : synonym.value())
                                .setSource(synonym.source().code()));
            }
        }
        return config;
    }
}
