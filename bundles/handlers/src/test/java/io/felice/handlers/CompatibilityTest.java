package io.felice.handlers;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.protocol.Api;
import io.felice.protocol.Apis;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.message.ApiMessageType;
import org.junit.jupiter.api.Test;

/** docs/compatibility.md says for every client API of Kafka whether Felice serves it. */
class CompatibilityTest {
    private static final Path DOCUMENT = Path.of("../../docs/compatibility.md");
    private static final Pattern ROW = Pattern.compile("\\| (\\d+) \\| (\\w+) \\| (\\S.*\\.) \\|");

    private final List<Short> served =
            Apis.all().stream().filter(Api::expected).map(Api::key).toList();

    @Test
    void everyApiOfClientsIsServedOrInTheTableWithTheReason() throws IOException {
        Map<Short, String> table = table();

        assertThat(ofClients()).allSatisfy(api -> {
            if (!served.contains(api.apiKey())) {
                assertThat(table).as("%s (%d)", api.name, api.apiKey()).containsEntry(api.apiKey(), api.name);
            }
        });
    }

    @Test
    void nothingInTheTableIsServed() throws IOException {
        assertThat(table()).isNotEmpty().doesNotContainKeys(served.toArray(Short[]::new));
        assertThat(ofClients()).extracting(ApiMessageType::apiKey).containsAll(table().keySet());
    }

    private static List<ApiMessageType> ofClients() {
        return Arrays.stream(ApiMessageType.values())
                .filter(api -> api.listeners().contains(ApiMessageType.ListenerType.BROKER))
                .toList();
    }

    private static Map<Short, String> table() throws IOException {
        Map<Short, String> table = new HashMap<>();
        for (String line : Files.readAllLines(DOCUMENT)) {
            Matcher row = ROW.matcher(line);
            if (row.matches()) {
                table.put(Short.valueOf(row.group(1)), row.group(2));
            }
        }
        return table;
    }
}
