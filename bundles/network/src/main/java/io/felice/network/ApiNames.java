package io.felice.network;

import org.apache.kafka.common.message.ApiMessageType;

/** Kafka's names of the APIs. */
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
