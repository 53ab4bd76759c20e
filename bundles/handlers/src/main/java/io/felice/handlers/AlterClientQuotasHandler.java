package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.Outcome;
import io.felice.api.security.Operation;
import io.felice.api.security.QuotaEntity;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.AlterClientQuotasRequestData;
import org.apache.kafka.common.message.AlterClientQuotasRequestData.OpData;
import org.apache.kafka.common.message.AlterClientQuotasResponseData;
import org.apache.kafka.common.message.AlterClientQuotasResponseData.EntityData;
import org.apache.kafka.common.message.AlterClientQuotasResponseData.EntryData;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Sets and removes quotas. */
@Component
@Serves(key = Apis.ALTER_CLIENT_QUOTAS)
public final class AlterClientQuotasHandler
        implements RequestHandler<AlterClientQuotasRequestData, AlterClientQuotasResponseData> {
    private final Admin admin;
    private final ClusterMetadata metadata;
    private final Rights rights;

    @Activate
    public AlterClientQuotasHandler(
            @Reference Admin admin, @Reference ClusterMetadata metadata, @Reference Rights rights) {
        this.admin = admin;
        this.metadata = metadata;
        this.rights = rights;
    }

    @Override
    public CompletionStage<AlterClientQuotasResponseData> handle(
            AlterClientQuotasRequestData request, RequestContext context) {
        return rights.requireOnCluster(context, Operation.ALTER_CONFIGS, now -> alter(request, now));
    }

    private CompletionStage<AlterClientQuotasResponseData> alter(
            AlterClientQuotasRequestData request, RequestContext context) {
        AlterClientQuotasResponseData response = new AlterClientQuotasResponseData();
        Map<QuotaEntity, Map<String, Optional<Double>>> changes = new HashMap<>();
        Decisions<QuotaEntity, Void> decisions = new Decisions<>();
        for (AlterClientQuotasRequestData.EntryData asked : request.entries()) {
            EntryData result = answerTo(asked);
            response.entries().add(result);
            decisions.add(() -> add(asked, changes), outcome -> fill(result, outcome));
        }
        return decisions
                .make(entities -> decide(changes, request, context), context)
                .thenApply(done -> response);
    }

    private static EntryData answerTo(AlterClientQuotasRequestData.EntryData asked) {
        EntryData answer = new EntryData();
        asked.entity().forEach(part -> answer.entity()
                .add(new EntityData().setEntityType(part.entityType()).setEntityName(part.entityName())));
        return answer;
    }

    private static QuotaEntity add(
            AlterClientQuotasRequestData.EntryData asked, Map<QuotaEntity, Map<String, Optional<Double>>> changes) {
        QuotaEntity entity = QuotaEntities.entity(asked.entity());
        Map<String, Optional<Double>> values = new HashMap<>();
        for (OpData change : asked.ops()) {
            Optional<Double> value = change.remove() ? Optional.empty() : Optional.of(change.value());
            if (values.put(change.key(), value) != null) {
                throw ErrorCode.INVALID_REQUEST.because("Duplicate quota key " + change.key() + " not updated");
            }
        }
        if (changes.putIfAbsent(entity, values) != null) {
            throw ErrorCode.INVALID_REQUEST.because("An entity appears more than once in the request");
        }
        return entity;
    }

    private CompletionStage<Decided<QuotaEntity, Void>> decide(
            Map<QuotaEntity, Map<String, Optional<Double>>> changes,
            AlterClientQuotasRequestData request,
            RequestContext context) {
        CompletionStage<Decided<QuotaEntity, Void>> decision =
                admin.askedBy(context.requester()).alterQuotas(changes, request.validateOnly());
        return request.validateOnly() ? decision : metadata.replayed(decision);
    }

    private static void fill(EntryData result, Outcome<Void> outcome) {
        result.setErrorCode(outcome.error().code()).setErrorMessage(outcome.message());
    }
}
