package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.ServedApis;
import io.felice.protocol.Serves;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersion;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Says which APIs this node serves, in which versions. */
@Component
@Serves(key = Apis.API_VERSIONS)
public final class ApiVersionsHandler implements RequestHandler<ApiVersionsRequestData, ApiVersionsResponseData> {
    private static final short FIRST_WITH_SOFTWARE = 3;
    /** KIP-511. */
    private static final Pattern SOFTWARE = Pattern.compile("[a-zA-Z0-9](?:[a-zA-Z0-9\\-.]*[a-zA-Z0-9])?");

    private final ServedApis served;

    @Activate
    public ApiVersionsHandler(@Reference ServedApis served) {
        this.served = served;
    }

    @Override
    public CompletionStage<ApiVersionsResponseData> handle(ApiVersionsRequestData request, RequestContext context) {
        ApiVersionsResponseData response = new ApiVersionsResponseData();
        if (context.apiVersion() >= FIRST_WITH_SOFTWARE && !isValid(request)) {
            return CompletableFuture.completedFuture(response.setErrorCode(ErrorCode.INVALID_REQUEST.code()));
        }
        for (ServedApis.Range range : served.ranges()) {
            response.apiKeys()
                    .add(new ApiVersion()
                            .setApiKey(range.key())
                            .setMinVersion(range.from())
                            .setMaxVersion(range.to()));
        }
        return CompletableFuture.completedFuture(response);
    }

    private static boolean isValid(ApiVersionsRequestData request) {
        return SOFTWARE.matcher(request.clientSoftwareName()).matches()
                && SOFTWARE.matcher(request.clientSoftwareVersion()).matches();
    }
}
