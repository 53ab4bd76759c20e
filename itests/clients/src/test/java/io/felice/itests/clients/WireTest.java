package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Wire;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersion;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Sends one valid request of each advertised API and version over a socket: each is served. */
class WireTest {
    /**
     * The first versions that are served. Older versions are advertised only because librdkafka expects them; a request
     * in one of them closes the connection.
     */
    private static final Map<ApiKeys, Integer> FIRST_SERVED = Map.of(ApiKeys.PRODUCE, 3);

    /** Errors that are correct answers: Kafka 3.9 answers the same request with them. */
    private static final Map<ApiKeys, Set<Errors>> ALSO_RIGHT = Map.of(
            ApiKeys.JOIN_GROUP, EnumSet.of(Errors.NONE, Errors.MEMBER_ID_REQUIRED),
            ApiKeys.ELECT_LEADERS, EnumSet.of(Errors.NONE, Errors.ELECTION_NOT_NEEDED),
            ApiKeys.ALTER_REPLICA_LOG_DIRS, EnumSet.of(Errors.LOG_DIR_NOT_FOUND),
            ApiKeys.UNREGISTER_BROKER, EnumSet.of(Errors.BROKER_ID_NOT_REGISTERED),
            // The node has no authorizer.
            ApiKeys.DESCRIBE_ACLS, EnumSet.of(Errors.SECURITY_DISABLED),
            ApiKeys.CREATE_ACLS, EnumSet.of(Errors.SECURITY_DISABLED),
            ApiKeys.DELETE_ACLS, EnumSet.of(Errors.SECURITY_DISABLED),
            // The listener has no SASL.
            ApiKeys.SASL_HANDSHAKE, EnumSet.of(Errors.ILLEGAL_SASL_STATE),
            ApiKeys.SASL_AUTHENTICATE, EnumSet.of(Errors.ILLEGAL_SASL_STATE));

    private static Node node;
    private static ValidRequests requests;

    @BeforeAll
    static void start() throws IOException {
        node = Node.inMemory();
        requests = new ValidRequests(node.bootstrap());
    }

    @AfterAll
    static void stop() throws IOException {
        requests.close();
        node.close();
    }

    @Test
    void theAdvertisedKeysAndVersionsAreTheExpectedOnes() throws IOException {
        try (Wire wire = new Wire(node.bootstrap())) {
            String advertised = wire.advertised().stream()
                    .map(api -> api.apiKey() + ":" + api.minVersion() + "-" + api.maxVersion())
                    .collect(Collectors.joining(" "));

            assertThat(advertised)
                    .isEqualTo(
                            "0:0-13 1:4-18 2:1-11 3:0-13 8:2-10 9:1-10 10:0-6 11:0-9 12:0-4 13:0-5 14:0-5 15:0-6"
                                    + " 16:0-5 17:0-1 18:0-5 19:2-7 20:1-6 21:0-2 22:0-5 23:2-4 29:1-3 30:1-3 31:1-3 32:1-4 33:0-2 34:1-2 35:1-5 36:0-2 37:0-3 42:0-3"
                                    + " 43:0-2 44:0-1 45:0-1 46:0-0 47:0-0 48:0-1 49:0-1 50:0-0 51:0-0 57:0-2 60:0-2 61:0-0 64:0-0 74:0-1 75:0-0");
        }
    }

    @TestFactory
    List<DynamicTest> everyVersionOfEveryAdvertisedKeyIsServed() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        try (Wire wire = new Wire(node.bootstrap())) {
            for (ApiVersion api : wire.advertised()) {
                ApiKeys key = ApiKeys.forId(api.apiKey());
                int from = Math.max(api.minVersion(), FIRST_SERVED.getOrDefault(key, 0));
                IntStream.rangeClosed(from, api.maxVersion())
                        .forEach(version ->
                                tests.add(DynamicTest.dynamicTest(key + " " + version, () -> isServed(key, version))));
            }
        }
        return tests;
    }

    private void isServed(ApiKeys key, int version) throws IOException {
        try (Wire wire = new Wire(node.bootstrap())) {
            Set<Errors> errors = wire.ask(key, version, requests.of(key, version))
                    .errorCounts()
                    .keySet();

            assertThat(ALSO_RIGHT.getOrDefault(key, EnumSet.of(Errors.NONE))).containsAll(errors);
        }
    }
}
