package io.felice.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import org.apache.kafka.common.message.ApiMessageType;
import org.junit.jupiter.api.Test;

class ApisTest {
    @Test
    void everyRowServesExactlyTheStableVersionsOfAKafkaApi() {
        assertThat(Apis.all()).allSatisfy(row -> {
            ApiMessageType api = ApiMessageType.fromApiKey(row.key());
            assertThat(row.from()).as(api.name).isEqualTo(api.lowestSupportedVersion());
            assertThat(row.to()).as(api.name).isEqualTo(api.highestSupportedVersion(false));
        });
    }

    @Test
    void theKeysOfTheRowsAreUniqueAndAscending() {
        assertThat(Apis.all()).extracting(Api::key).doesNotHaveDuplicates().isSorted();
        assertThat(Apis.all())
                .allSatisfy(row -> assertThat(Apis.find(row.key())).contains(row));
        assertThat(Apis.all())
                .filteredOn(Api::ofBrokers)
                .as("what only brokers send")
                .extracting(Api::key)
                .containsExactly(Apis.ENVELOPE);
    }

    @Test
    void everyRowHasAnErrorForTheTimeWhileItsHandlerIsAway() {
        assertThat(Apis.all()).allSatisfy(row -> assertThat(row.whileAway()).isNotEqualTo(ErrorCode.NONE));
        assertThatThrownBy(() -> Api.of(Apis.FETCH, 4, 17, ErrorCode.NONE))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void versionsThatContradictEachOtherAreRefused() {
        ErrorCode error = ErrorCode.REQUEST_TIMED_OUT;

        assertThatThrownBy(() -> Api.of(Apis.FETCH, 5, 4, error)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Api.of(Apis.FETCH, 4, 17, error).advertisedSince(5))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Api.of((short) -1, 0, 0, error)).isInstanceOf(IllegalArgumentException.class);
    }
}
