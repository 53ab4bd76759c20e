package io.felice.handlers;

import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.security.Operation;
import io.felice.api.security.QuotaEntity;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;
import org.apache.kafka.common.message.DescribeClientQuotasRequestData;
import org.apache.kafka.common.message.DescribeClientQuotasResponseData;
import org.apache.kafka.common.message.DescribeClientQuotasResponseData.EntityData;
import org.apache.kafka.common.message.DescribeClientQuotasResponseData.EntryData;
import org.apache.kafka.common.message.DescribeClientQuotasResponseData.ValueData;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Lists the quotas of the entities that a filter finds. */
@Component
@Serves(key = Apis.DESCRIBE_CLIENT_QUOTAS)
public final class DescribeClientQuotasHandler
        implements RequestHandler<DescribeClientQuotasRequestData, DescribeClientQuotasResponseData> {
    private final ClusterMetadata metadata;
    private final Rights rights;

    @Activate
    public DescribeClientQuotasHandler(@Reference ClusterMetadata metadata, @Reference Rights rights) {
        this.metadata = metadata;
        this.rights = rights;
    }

    @Override
    public CompletionStage<DescribeClientQuotasResponseData> handle(
            DescribeClientQuotasRequestData request, RequestContext context) {
        return rights.requireOnCluster(context, Operation.DESCRIBE_CONFIGS, now -> describe(request));
    }

    private CompletionStage<DescribeClientQuotasResponseData> describe(DescribeClientQuotasRequestData request) {
        Predicate<QuotaEntity> filter = QuotaEntities.filter(request);
        List<EntryData> entries = new ArrayList<>();
        metadata.view().security().quotas().forEach((entity, values) -> {
            if (filter.test(entity)) {
                entries.add(entry(entity, values));
            }
        });
        entries.sort(Comparator.comparing(entry -> entry.entity().toString()));
        return CompletableFuture.completedFuture(
                new DescribeClientQuotasResponseData().setErrorMessage(null).setEntries(entries));
    }

    private static EntryData entry(QuotaEntity entity, Map<String, Double> values) {
        EntryData entry = new EntryData();
        QuotaEntities.forEachPart(entity, (type, name) -> entry.entity()
                .add(new EntityData().setEntityType(type).setEntityName(name)));
        new TreeMap<>(values).forEach((key, value) -> entry.values()
                .add(new ValueData().setKey(key).setValue(value)));
        return entry;
    }
}
