package io.felice.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.Endpoints;
import io.felice.api.status.StatusTable;
import io.felice.protocol.Api;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.awaitility.Awaitility;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;

/** The components of the bundle network. A test gives the request handlers. */
final class TestNode implements AutoCloseable {
    private static final long CHECK_MS = 50;

    static {
        Awaitility.setDefaultPollInterval(Duration.ofMillis(5));
        Awaitility.setDefaultPollDelay(Duration.ZERO);
    }

    private final AtomicReference<Endpoints> endpoints = new AtomicReference<>();
    private final Map<String, Object> settings = new HashMap<>();
    private final Map<Short, Api> rows = new HashMap<>();
    private final PrincipalMappings mappings = new PrincipalMappings();
    private final Wires wires = new Wires();
    private final ApiTable apis;
    private final Handlers handlers;
    private final NetworkServer network;

    /** @param settings the names of the configuration's methods, and values */
    TestNode(Map<String, ?> settings) {
        this(settings, List.of());
    }

    TestNode(Map<String, ?> settings, List<Api> expected) {
        this.settings.put("listeners", new String[] {"PLAINTEXT://127.0.0.1:0"});
        this.settings.putAll(settings);
        apis = new ApiTable(expected);
        handlers = new Handlers(apis, key -> Optional.ofNullable(rows.get(key)));
        network = new NetworkServer(context(), apis, mappings, wires, config(), CHECK_MS);
    }

    TestNode awaitOpen() {
        await().atMost(Duration.ofSeconds(60)).until(() -> endpoints.get() != null);
        return this;
    }

    Endpoints endpoints() {
        return endpoints.get();
    }

    ApiTable apis() {
        return apis;
    }

    PrincipalMappings mappings() {
        return mappings;
    }

    Wires wires() {
        return wires;
    }

    NetworkServer network() {
        return network;
    }

    int port() {
        awaitOpen();
        return endpoints.get().endpoints().get(0).port();
    }

    int port(String listener) {
        awaitOpen();
        return endpoints.get().endpoints().stream()
                .filter(endpoint -> endpoint.listener().equals(listener))
                .findFirst()
                .orElseThrow()
                .port();
    }

    TestClient connect(String listener) throws IOException {
        return new TestClient(port(listener));
    }

    TestClient connect() throws IOException {
        return new TestClient(port());
    }

    void change(String setting, Object value) {
        settings.put(setting, value);
        network.modified(config());
    }

    /** @return the handler for {@link #unbind} */
    <Q extends ApiMessage, R extends ApiMessage> RequestHandler<Q, R> bind(
            short key, int from, int to, RequestHandler<Q, R> handler) {
        rows.put(key, row(key, from, to));
        handlers.bind(handler, Map.of("felice.api.key", key));
        return handler;
    }

    <Q extends ApiMessage, R extends ApiMessage> RequestHandler<Q, R> bindNow(
            short key, int from, int to, BiFunction<Q, RequestContext, R> answer) {
        return bind(
                key,
                from,
                to,
                (Q request, RequestContext context) ->
                        CompletableFuture.completedFuture(answer.apply(request, context)));
    }

    void bindApiVersions() {
        bindNow(Apis.API_VERSIONS, 0, 4, this::versions);
    }

    private ApiVersionsResponseData versions(ApiVersionsRequestData request, RequestContext context) {
        ApiVersionsResponseData response = UnsupportedVersions.response(apis);
        return response.setErrorCode((short) 0);
    }

    void unbind(short key, RequestHandler<?, ?> handler) {
        handlers.unbind(handler, Map.of("felice.api.key", key));
    }

    /** The API with these versions; also for an API that this node does not serve. */
    static Api row(short key, int from, int to) {
        Api versions = Api.of(key, from, to, ErrorCode.REQUEST_TIMED_OUT);
        return Apis.find(key)
                .map(row -> new Api(
                        key,
                        versions.from(),
                        versions.to(),
                        versions.from(),
                        row.expected(),
                        row.whileAway(),
                        row.keepsBytes(),
                        row.outlivesHandler(),
                        row.beforeLogin(),
                        row.ofBrokers()))
                .orElse(refersToBytes(ApiMessageType.fromApiKey(key)) ? versions.keepingBytes() : versions);
    }

    /** True if the API's requests have fields that are slices of their frame. */
    static boolean refersToBytes(ApiMessageType api) {
        return refersToBytes(api.newRequest().getClass());
    }

    private static boolean refersToBytes(Class<?> message) {
        boolean here = Arrays.stream(message.getDeclaredFields())
                .anyMatch(field -> ByteBuffer.class.isAssignableFrom(field.getType())
                        || BaseRecords.class.isAssignableFrom(field.getType()));
        return here || Arrays.stream(message.getDeclaredClasses()).anyMatch(TestNode::refersToBytes);
    }

    Object number(String table, String row, String column) {
        StatusTable found = network.tables().stream()
                .filter(candidate -> candidate.name().equals(table))
                .findFirst()
                .orElseThrow();
        return found.cell(row, column).orElseThrow();
    }

    void awaitNumber(String table, String row, String column, long value) {
        await().atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThat(number(table, row, column)).isEqualTo(value));
    }

    @Override
    public void close() {
        network.deactivate();
        wires.deactivate();
    }

    private NetworkServer.Config config() {
        Map<String, Object> values = new HashMap<>(settings);
        return (NetworkServer.Config) Proxy.newProxyInstance(
                NetworkServer.Config.class.getClassLoader(),
                new Class<?>[] {NetworkServer.Config.class},
                (proxy, method, arguments) -> values.getOrDefault(method.getName(), method.getDefaultValue()));
    }

    private BundleContext context() {
        return (BundleContext) Proxy.newProxyInstance(
                BundleContext.class.getClassLoader(),
                new Class<?>[] {BundleContext.class},
                (proxy, method, arguments) -> {
                    assertThat(method.getName()).isEqualTo("registerService");
                    endpoints.set((Endpoints) arguments[1]);
                    return registration((Endpoints) arguments[1]);
                });
    }

    private ServiceRegistration<?> registration(Endpoints registered) {
        return (ServiceRegistration<?>) Proxy.newProxyInstance(
                ServiceRegistration.class.getClassLoader(),
                new Class<?>[] {ServiceRegistration.class},
                (proxy, method, arguments) -> {
                    assertThat(method.getName()).isEqualTo("unregister");
                    endpoints.compareAndSet(registered, null);
                    return null;
                });
    }

    /** A stage that never completes. */
    static <R> CompletionStage<R> never() {
        return new CompletableFuture<>();
    }
}
