package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.ServedApis;
import io.felice.protocol.Serves;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersion;
import org.apache.kafka.common.message.ApiVersionsResponseData.FinalizedFeatureKey;
import org.apache.kafka.common.message.ApiVersionsResponseData.SupportedFeatureKey;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** Lists the APIs that this node serves, with their versions. */
@Component
@Serves(key = Apis.API_VERSIONS)
public final class ApiVersionsHandler implements RequestHandler<ApiVersionsRequestData, ApiVersionsResponseData> {
    private static final short FIRST_WITH_SOFTWARE = 3;
    private static final short FIRST_WITH_NODE = 5;
    private static final int NO_NODE = -1;
    /** The characters that KIP-511 allows in the name and version of client software. */
    private static final Pattern SOFTWARE = Pattern.compile("[a-zA-Z0-9](?:[a-zA-Z0-9\\-.]*[a-zA-Z0-9])?");

    private final ServedApis served;
    /** Null while the bundle broker is away. API versions are answered without it. */
    private volatile ClusterMetadata metadata;

    @Activate
    public ApiVersionsHandler(@Reference ServedApis served) {
        this.served = served;
    }

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    public void bindMetadata(ClusterMetadata cluster) {
        metadata = cluster;
    }

    public void unbindMetadata(ClusterMetadata cluster) {
        if (metadata == cluster) {
            metadata = null;
        }
    }

    @Override
    public CompletionStage<ApiVersionsResponseData> handle(ApiVersionsRequestData request, RequestContext context) {
        ApiVersionsResponseData response = new ApiVersionsResponseData();
        if (context.apiVersion() >= FIRST_WITH_SOFTWARE && !isValid(request)) {
            return CompletableFuture.completedFuture(response.setErrorCode(ErrorCode.INVALID_REQUEST.code()));
        }
        if (context.apiVersion() >= FIRST_WITH_NODE && isMisrouted(request)) {
            return CompletableFuture.completedFuture(response.setErrorCode(ErrorCode.REBOOTSTRAP_REQUIRED.code()));
        }
        addFeatures(response);
        for (ServedApis.Range range : served.ranges()) {
            response.apiKeys()
                    .add(new ApiVersion()
                            .setApiKey(range.key())
                            .setMinVersion(range.from())
                            .setMaxVersion(range.to()));
        }
        return CompletableFuture.completedFuture(response);
    }

    private static void addFeatures(ApiVersionsResponseData response) {
        response.supportedFeatures()
                .add(new SupportedFeatureKey()
                        .setName(Features.VERSION)
                        .setMinVersion(Features.LEVEL)
                        .setMaxVersion(Features.LEVEL));
        response.finalizedFeatures()
                .add(new FinalizedFeatureKey()
                        .setName(Features.VERSION)
                        .setMinVersionLevel(Features.LEVEL)
                        .setMaxVersionLevel(Features.LEVEL));
        response.setFinalizedFeaturesEpoch(Features.EPOCH);
    }

    private static boolean isValid(ApiVersionsRequestData request) {
        boolean namesOneHalf = (request.clusterId() == null) != (request.nodeId() == NO_NODE);
        return !namesOneHalf
                && SOFTWARE.matcher(request.clientSoftwareName()).matches()
                && SOFTWARE.matcher(request.clientSoftwareVersion()).matches();
    }

    /**
     * Whether the client meant another node or another cluster. It must then connect to its bootstrap servers again
     * (KIP-1242).
     */
    private boolean isMisrouted(ApiVersionsRequestData request) {
        ClusterMetadata known = metadata;
        if (request.clusterId() == null || known == null) {
            return false;
        }
        Optional<String> clusterId = known.view().clusterId();
        return request.nodeId() != known.brokerId()
                || clusterId.isPresent() && !clusterId.get().equals(request.clusterId());
    }
}
