package io.felice.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.protocol.Apis;
import io.felice.protocol.ServedApis.Range;
import org.junit.jupiter.api.Test;

class ApiTableTest {
    @Test
    void whatOnlyBrokersSendIsServedAndNotAdvertised() {
        ApiTable table = new ApiTable();

        table.add(Apis.find(Apis.ENVELOPE).orElseThrow(), 0, (request, context) -> null);
        table.add(Apis.find(Apis.FETCH).orElseThrow(), 0, (request, context) -> null);

        assertThat(table.ranges()).extracting(Range::key).containsExactly(Apis.FETCH);
        assertThat(table.slot(Apis.ENVELOPE).current()).isNotNull();
    }
}
