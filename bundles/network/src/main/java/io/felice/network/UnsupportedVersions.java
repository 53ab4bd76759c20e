package io.felice.network;

import io.felice.protocol.ServedApis;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.protocol.Errors;

/** The answer to an ApiVersions request of an unsupported version: in version 0, which every client can read. */
final class UnsupportedVersions {
    private UnsupportedVersions() {}

    static ApiVersionsResponseData response(ServedApis apis) {
        ApiVersionsResponseData response =
                new ApiVersionsResponseData().setErrorCode(Errors.UNSUPPORTED_VERSION.code());
        apis.ranges().forEach(range -> response.apiKeys()
                .add(new ApiVersionsResponseData.ApiVersion()
                        .setApiKey(range.key())
                        .setMinVersion(range.from())
                        .setMaxVersion(range.to())));
        return response;
    }
}
