package io.felice.network;

import org.apache.kafka.common.message.ApiMessageType;

/** What Kafka calls its APIs. */
final class ApiNames {
    private ApiNames() {}

    static String of(short key) {
        try {
            return ApiMessageType.fromApiKey(key).name;
        } catch (RuntimeException unknown) {
            return "key " + key;
        }
    }
}
