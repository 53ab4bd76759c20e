package io.felice.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.SaslHandshakeResponseData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.junit.jupiter.api.Test;

class ThrottleTimeTest {
    @Test
    void aResponseSaysHowLongTheClientHasToWait() {
        FetchResponseData response = new FetchResponseData();
        ThrottleTime.set(response, 17);
        assertThat(response.throttleTimeMs()).isEqualTo(17);
        assertThat(ThrottleTime.of(response)).isEqualTo(17);
    }

    @Test
    void aResponseWithoutTheFieldStaysAsItIs() {
        SaslHandshakeResponseData response = new SaslHandshakeResponseData();
        ThrottleTime.set(response, 17);
        assertThat(ThrottleTime.of(response)).isZero();
    }

    @Test
    void everyVersionOfEveryApiCanBeSentWithIt() {
        for (Api row : Apis.all()) {
            for (short version = row.from(); version <= row.to(); version++) {
                ApiMessage response = ApiMessageType.fromApiKey(row.key()).newResponse();
                ThrottleTime.set(response, 17);
                try (ResponseFrame frame = KafkaMessages.encode(row.key(), version, 1, response)) {
                    assertThat(frame.sizeInBytes()).isPositive();
                }
            }
        }
    }
}
