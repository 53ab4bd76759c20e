package io.felice.network;

import io.felice.api.security.Principal;
import io.felice.handlers.SaslAuthenticateHandler;
import io.felice.handlers.SaslHandshakeHandler;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.SaslAuthenticateRequestData;
import org.apache.kafka.common.message.SaslAuthenticateResponseData;
import org.apache.kafka.common.message.SaslHandshakeRequestData;
import org.apache.kafka.common.message.SaslHandshakeResponseData;

/**
 * A node with a listener SAFE with SASL and a listener OPEN without, which serves ApiVersions, Heartbeat and logins.
 */
final class SaslNode implements AutoCloseable {
    static final String SAFE = "SAFE";
    static final String OPEN = "OPEN";

    final FakeAuthentication authentication = new FakeAuthentication();
    final List<String> principals = new CopyOnWriteArrayList<>();
    /** Requests on the listener SAFE from clients that have not logged in. */
    final AtomicInteger strangers = new AtomicInteger();

    final TestNode node;
    private final Map<Short, RequestHandler<?, ?>> logins = new HashMap<>();

    SaslNode() {
        this(Map.of());
    }

    SaslNode(Map<String, ?> settings) {
        Map<String, Object> all = new HashMap<>();
        all.put("listeners", new String[] {"SAFE://127.0.0.1:0", "OPEN://127.0.0.1:0"});
        all.put("listener_security_protocol_map", new String[] {"SAFE:SASL_PLAINTEXT", "OPEN:PLAINTEXT"});
        all.put("sasl_enabled_mechanisms", new String[] {"PLAIN", "OTHER", "ABSENT"});
        all.putAll(settings);
        node = new TestNode(all);
        node.bindApiVersions();
        node.bindNow(Apis.HEARTBEAT, 0, 4, this::answer);
        bindLogins();
    }

    void bindLogins() {
        logins.put(Apis.SASL_HANDSHAKE, node.bind(Apis.SASL_HANDSHAKE, 0, 1, new SaslHandshakeHandler(authentication)));
        logins.put(
                Apis.SASL_AUTHENTICATE,
                node.bind(Apis.SASL_AUTHENTICATE, 0, 2, new SaslAuthenticateHandler(authentication)));
    }

    /** As if the bundle security were stopped. */
    void unbindLogins() {
        logins.forEach(node::unbind);
        logins.clear();
    }

    private HeartbeatResponseData answer(HeartbeatRequestData request, RequestContext context) {
        if (context.connection().sasl().isPresent()
                && context.requester().principal().equals(Principal.ANONYMOUS)) {
            strangers.incrementAndGet();
        }
        principals.add(context.requester().principal().toString());
        return new HeartbeatResponseData();
    }

    TestClient connect() throws IOException {
        return node.connect(SAFE);
    }

    /** A client that has logged in. */
    TestClient connect(String user) throws IOException {
        TestClient client = connect();
        logIn(client, user);
        return client;
    }

    static SaslAuthenticateResponseData logIn(TestClient client, String user) throws IOException {
        handshake(client, "PLAIN");
        return authenticate(client, "user " + user);
    }

    static SaslHandshakeResponseData handshake(TestClient client, String mechanism) throws IOException {
        return client.ask(
                Apis.SASL_HANDSHAKE,
                1,
                1,
                new SaslHandshakeRequestData().setMechanism(mechanism),
                new SaslHandshakeResponseData());
    }

    static SaslAuthenticateResponseData authenticate(TestClient client, String message) throws IOException {
        return client.ask(Apis.SASL_AUTHENTICATE, 2, 2, message(message), new SaslAuthenticateResponseData());
    }

    static SaslAuthenticateRequestData message(String text) {
        return new SaslAuthenticateRequestData().setAuthBytes(FakeAuthentication.bytes(text));
    }

    static void beat(TestClient client) throws IOException {
        client.ask(Apis.HEARTBEAT, 4, 3, heartbeat(), new HeartbeatResponseData());
    }

    static HeartbeatRequestData heartbeat() {
        return new HeartbeatRequestData().setGroupId("g").setMemberId("m");
    }

    /** A message without a header. */
    static byte[] raw(String text) {
        byte[] bytes = FakeAuthentication.bytes(text);
        return ByteBuffer.allocate(4 + bytes.length)
                .putInt(bytes.length)
                .put(bytes)
                .array();
    }

    long count(String column) {
        return (long) node.number("network.connections", SAFE, column);
    }

    void await(String column, long value) {
        node.awaitNumber("network.connections", SAFE, column, value);
    }

    void awaitNothingUsed() {
        await("open", 0);
        await("unauthenticated", 0);
        node.awaitNumber("network.limits", "requests", "used", 0);
        node.awaitNumber("network.limits", "requests.bytes", "used", 0);
        node.awaitNumber("network.limits", "answers.bytes", "used", 0);
        node.awaitNumber("network.limits", "held.requests", "used", 0);
    }

    @Override
    public void close() {
        node.close();
    }
}
