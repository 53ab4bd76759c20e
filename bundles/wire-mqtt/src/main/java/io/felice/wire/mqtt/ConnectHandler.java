package io.felice.wire.mqtt;

import io.felice.api.ErrorCode;
import io.felice.api.security.Authentication;
import io.felice.api.security.Authenticator;
import io.felice.api.security.Requester;
import io.felice.api.wire.WireConnection;
import io.netty.handler.codec.mqtt.MqttConnectMessage;
import io.netty.handler.codec.mqtt.MqttConnectReturnCode;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * CONNECT: the client logs in, takes its client identifier from another connection that has it, and gets its session or
 * a new one. I/O thread of the connection.
 */
final class ConnectHandler {
    static final int LONGEST_CLIENT_ID = 256;

    private static final int MQTT_5 = 5;

    private final MqttConnection connection;
    private final WireConnection link;
    private final MqttServices services;
    private final MqttConnectMessage packet;
    private final MqttProperties properties;
    private final boolean isV5;
    private Authentication.Login login;
    private MqttClient client;
    private Optional<Will> will;

    ConnectHandler(MqttConnection connection, WireConnection link, MqttServices services, MqttConnectMessage packet) {
        this.connection = connection;
        this.link = link;
        this.services = services;
        this.packet = packet;
        this.properties = packet.variableHeader().properties();
        this.isV5 = packet.variableHeader().version() >= MQTT_5;
    }

    void connect() {
        String wrong = wrongInClientId();
        if (wrong != null) {
            refuse(MqttConnectReturnCode.CONNECTION_REFUSED_CLIENT_IDENTIFIER_NOT_VALID, wrong);
        } else if (properties.getProperty(MqttPropertyType.AUTHENTICATION_METHOD.value()) != null) {
            refuse(MqttConnectReturnCode.CONNECTION_REFUSED_BAD_AUTHENTICATION_METHOD, "no method is known");
        } else {
            then(services.loaded(), loaded -> logIn());
        }
    }

    private <T> void then(CompletionStage<T> stage, Consumer<T> done) {
        connection.then(stage, done, failure -> refuse(Connack.codeOf(failure), String.valueOf(failure.getMessage())));
    }

    private void refuse(MqttConnectReturnCode code, String why) {
        connection.refuse(Connack.refused(code, isV5), why);
    }

    private String wrongInClientId() {
        String id = packet.payload().clientIdentifier();
        if (id.length() > LONGEST_CLIENT_ID) {
            return "the client id has more than " + LONGEST_CLIENT_ID + " characters";
        }
        if (id.chars().anyMatch(Character::isISOControl)) {
            return "the client id has control characters";
        }
        if (id.isEmpty() && !isV5 && !packet.variableHeader().isCleanSession()) {
            return "a session that is kept needs a client id";
        }
        return null;
    }

    // ---- who it is ----

    /** Lets the client log in with its user name and password, if the listener asks for that. */
    private void logIn() {
        if (!link.requiresLogin()) {
            identify(Long.MAX_VALUE);
            return;
        }
        String user = packet.payload().userName();
        byte[] password = packet.payload().passwordInBytes();
        if (user == null || password == null || user.indexOf('\0') >= 0) {
            throw ErrorCode.SASL_AUTHENTICATION_FAILED.because("the listener asks for a user name and a password");
        }
        login = services.authentication()
                .begin(
                        "PLAIN",
                        new Authenticator.Client(link.remote().getAddress(), link.listener(), link.isEncrypted()));
        then(login.respond(plain(user, password)), this::loggedIn);
    }

    private static byte[] plain(String user, byte[] password) {
        byte[] name = user.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(name.length + password.length + 2)
                .put((byte) 0)
                .put(name)
                .put((byte) 0)
                .put(password)
                .array();
    }

    private void loggedIn(Authenticator.Reply reply) {
        if (!(reply instanceof Authenticator.Authenticated who)) {
            throw ErrorCode.SASL_AUTHENTICATION_FAILED.because("it has to say more");
        }
        link.authenticated(who.principal());
        identify(who.validUntil().map(end -> end.toEpochMilli()).orElse(Long.MAX_VALUE));
    }

    private void identify(long validUntilMs) {
        if (number(MqttPropertyType.RECEIVE_MAXIMUM).orElse(1L) == 0) {
            refuse(MqttConnectReturnCode.CONNECTION_REFUSED_PROTOCOL_ERROR, "its Receive Maximum is 0");
            return;
        }
        int receiveMaximum = services.settings().receiveMaximum();
        client = new MqttClient(
                hasClientId() ? packet.payload().clientIdentifier() : "auto-" + UUID.randomUUID(),
                new Requester(link.principal(), link.remote().getAddress()),
                isV5,
                validUntilMs,
                TimeUnit.SECONDS.toNanos(packet.variableHeader().keepAliveTimeSeconds()) / 2 * 3,
                number(MqttPropertyType.MAXIMUM_PACKET_SIZE).orElse((long) Integer.MAX_VALUE),
                (int) Math.min(
                        receiveMaximum, number(MqttPropertyType.RECEIVE_MAXIMUM).orElse((long) receiveMaximum)));
        // Before the client id is taken, because that closes the connection that has it.
        if (services.sessions().isOfAnother(client.id(), owner())) {
            refuse(
                    MqttConnectReturnCode.CONNECTION_REFUSED_CLIENT_IDENTIFIER_NOT_VALID,
                    "the client id belongs to somebody else");
            return;
        }
        will = Will.in(packet, client.id(), services.clock().millis());
        then(connection.claim(client), free -> {
            if (services.sessions().has(client.id(), connection)) {
                enter();
            } else {
                refuse(MqttConnectReturnCode.CONNECTION_REFUSED_SERVER_BUSY, "the client has connected again");
            }
        });
    }

    private boolean hasClientId() {
        return !packet.payload().clientIdentifier().isEmpty();
    }

    private Optional<Long> number(MqttPropertyType type) {
        return MessageHeaders.number(properties, type);
    }

    // ---- which session it gets ----

    private void enter() {
        Optional<MqttSession> before = services.sessions().find(client.id());
        if (before.isPresent() && !before.get().owner().equals(owner())) {
            refuse(
                    MqttConnectReturnCode.CONNECTION_REFUSED_CLIENT_IDENTIFIER_NOT_VALID,
                    "the session belongs to somebody else");
            return;
        }
        long expirySeconds = expirySeconds();
        then(mayKeepSession(expirySeconds), may -> {
            if (!may) {
                refuse(
                        MqttConnectReturnCode.CONNECTION_REFUSED_NOT_AUTHORIZED_5,
                        "READ on group " + MqttSession.group(client.id()) + " is not allowed");
            } else if (before.isPresent() && !isCleanStart()) {
                resume(before.get(), expirySeconds);
            } else {
                begin(before, expirySeconds);
            }
        });
    }

    private String owner() {
        return client.requester().principal().toString();
    }

    /** Clean start of MQTT 5, clean session of MQTT 3.1.1. */
    private boolean isCleanStart() {
        return packet.variableHeader().isCleanSession();
    }

    private long expirySeconds() {
        long most = services.settings().longestSession().toSeconds();
        if (!isV5) {
            return isCleanStart() ? 0 : most;
        }
        return Math.min(most, number(MqttPropertyType.SESSION_EXPIRY_INTERVAL).orElse(0L));
    }

    private CompletionStage<Boolean> mayKeepSession(long expirySeconds) {
        return expirySeconds > 0
                ? services.rights().mayUseGroup(client.requester(), MqttSession.group(client.id()))
                : CompletableFuture.completedFuture(true);
    }

    private void resume(MqttSession old, long expirySeconds) {
        then(services.sessions().positions(old), committed -> {
            old.restore(committed, services.settings().topics());
            old.expireAfter(expirySeconds);
            old.enter();
            open(old, true);
        });
    }

    private void begin(Optional<MqttSession> before, long expirySeconds) {
        services.wills().sessionEnds(client.id());
        CompletionStage<Void> gone = before.map(old -> services.sessions().delete(old, true))
                .orElse(CompletableFuture.completedFuture(null));
        then(gone, deleted -> open(new MqttSession(client.id(), owner(), expirySeconds), false));
    }

    private void open(MqttSession session, boolean isPresent) {
        CompletionStage<Void> saved =
                session.isPersistent() ? services.sessions().save(session) : CompletableFuture.completedFuture(null);
        then(saved, stored -> {
            if (isPresent) {
                services.wills().sessionGoesOn(client.id());
            }
            if (session.isPersistent()) {
                services.sessions().add(session);
            }
            connection.open(
                    new ConnectedSession(connection, link, services, client, session, will),
                    Connack.accepted(client, !hasClientId(), isPresent, session.expirySeconds(), services.settings()));
        });
    }

    /** Ends the login, also while it goes on. */
    void end() {
        if (login != null) {
            login.close();
        }
    }
}
