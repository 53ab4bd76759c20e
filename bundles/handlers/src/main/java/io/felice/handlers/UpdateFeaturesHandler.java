package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.security.Operation;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.UpdateFeaturesRequestData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData.FeatureUpdateKey;
import org.apache.kafka.common.message.UpdateFeaturesResponseData;
import org.apache.kafka.common.message.UpdateFeaturesResponseData.UpdatableFeatureResult;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Accepts the level of {@code felice.version} that is in force already. Refuses every other change. */
@Component
@Serves(key = Apis.UPDATE_FEATURES)
public final class UpdateFeaturesHandler
        implements RequestHandler<UpdateFeaturesRequestData, UpdateFeaturesResponseData> {
    private static final short LAST_WITH_RESULTS = 1;

    private final ClusterMetadata metadata;
    private final Rights rights;

    @Activate
    public UpdateFeaturesHandler(@Reference ClusterMetadata metadata, @Reference Rights rights) {
        this.metadata = metadata;
        this.rights = rights;
    }

    @Override
    public CompletionStage<UpdateFeaturesResponseData> handle(
            UpdateFeaturesRequestData request, RequestContext context) {
        return rights.requireOnCluster(context, Operation.ALTER, now -> update(request, now));
    }

    private CompletionStage<UpdateFeaturesResponseData> update(
            UpdateFeaturesRequestData request, RequestContext context) {
        UpdateFeaturesResponseData response = new UpdateFeaturesResponseData().setErrorMessage(null);
        Optional<String> wrong = request.featureUpdates().stream()
                .flatMap(update -> wrong(update).stream())
                .findFirst();
        if (wrong.isPresent()) {
            response.setErrorCode(ErrorCode.INVALID_UPDATE_VERSION.code())
                    .setErrorMessage("The update failed for all features since the following feature had an error: "
                            + wrong.get());
        } else if (context.apiVersion() <= LAST_WITH_RESULTS) {
            request.featureUpdates().forEach(update -> response.results()
                    .add(new UpdatableFeatureResult()
                            .setFeature(update.feature())
                            .setErrorMessage(null)));
        }
        return CompletableFuture.completedFuture(response);
    }

    private Optional<String> wrong(FeatureUpdateKey update) {
        String start = "Invalid update version " + update.maxVersionLevel() + " for feature " + update.feature()
                + ". Local controller " + metadata.brokerId();
        if (!update.feature().equals(Features.VERSION)) {
            return Optional.of(start + " does not support this feature.");
        }
        return update.maxVersionLevel() == Features.LEVEL
                ? Optional.empty()
                : Optional.of(start + " only supports versions " + Features.LEVEL + "-" + Features.LEVEL);
    }
}
