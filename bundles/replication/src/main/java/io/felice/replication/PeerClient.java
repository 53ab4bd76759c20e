package io.felice.replication;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.ApiVersions;
import org.apache.kafka.clients.BootstrapConfiguration;
import org.apache.kafka.clients.ClientResponse;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.ManualMetadataUpdater;
import org.apache.kafka.clients.MetadataRecoveryStrategy;
import org.apache.kafka.clients.NetworkClient;
import org.apache.kafka.clients.NodeApiVersions;
import org.apache.kafka.clients.RequestCompletionHandler;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.memory.MemoryPool;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersion;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.network.ChannelBuilder;
import org.apache.kafka.common.network.ChannelBuilders;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.network.Selector;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.security.JaasContext;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.internals.LogContext;

/**
 * Kafka's own client of one protocol and one identity, with the connections to brokers that use it. One thread uses it,
 * apart from {@link #wakeup}.
 */
final class PeerClient implements AutoCloseable {
    /** A longer answer closes the connection before its memory is allocated. No batch of a topic comes near. */
    private static final int LONGEST_ANSWER = 512 << 20;

    private static final long MAX_IDLE_MS = TimeUnit.MINUTES.toMillis(9);
    private static final long FIRST_BACKOFF_MS = 20;
    private static final long LONGEST_BACKOFF_MS = 1_000;
    private static final long CONNECT_MS = 10_000;
    private static final int OWN_BUFFER_SIZE = -1;

    private final PeerIdentity identity;
    private final PeerAddress first;
    private final Metrics metrics;
    private final NetworkClient client;

    /**
     * Blocks while it reads the files of the settings.
     *
     * @throws IOException with a sentence if a file cannot be read
     * @throws KafkaException if the settings cannot be used
     */
    PeerClient(
            String name, PeerIdentity identity, PeerAddress address, int inFlight, MemoryPool memory, String clusterId)
            throws IOException {
        this.identity = identity;
        this.first = address;
        LogContext log = new LogContext("[" + name + "] ");
        ChannelBuilder channels = channels(identity.settings(), address, log);
        metrics = new Metrics();
        Selector selector = new Selector(
                LONGEST_ANSWER,
                MAX_IDLE_MS,
                0,
                metrics,
                Time.SYSTEM,
                "peers",
                Map.of(),
                false,
                false,
                channels,
                memory,
                log);
        client = new NetworkClient(
                selector,
                new OfCluster(clusterId),
                name,
                inFlight,
                FIRST_BACKOFF_MS,
                LONGEST_BACKOFF_MS,
                OWN_BUFFER_SIZE,
                OWN_BUFFER_SIZE,
                (int) TimeUnit.SECONDS.toMillis(30),
                CONNECT_MS,
                CONNECT_MS,
                Time.SYSTEM,
                true,
                new WithEnvelope(),
                log,
                MetadataRecoveryStrategy.NONE,
                BootstrapConfiguration.DISABLED,
                true);
    }

    /** Tells the cluster: a broker of another cluster, or with another id, ends the connection (KIP-1242). */
    private static final class OfCluster extends ManualMetadataUpdater {
        private final String clusterId;

        OfCluster(String clusterId) {
            this.clusterId = clusterId;
        }

        @Override
        public String clusterId() {
            return clusterId;
        }
    }

    /** Brokers do not advertise that they take envelopes; every one does. */
    private static final class WithEnvelope extends ApiVersions {
        @Override
        public synchronized void update(String node, NodeApiVersions advertised) {
            List<ApiVersion> all =
                    new ArrayList<>(advertised.allSupportedApiVersions().values());
            all.add(new ApiVersion()
                    .setApiKey(ApiKeys.ENVELOPE.id)
                    .setMinVersion((short) 0)
                    .setMaxVersion((short) 0));
            super.update(node, new NodeApiVersions(all, List.of()));
        }
    }

    /** True if the client can be used for this address: the protocol and the identity are those of the client. */
    boolean isFor(PeerIdentity wanted, PeerAddress address) {
        return identity.equals(wanted)
                && first.protocol() == address.protocol()
                && first.listener().equals(address.listener());
    }

    /** Begins to connect if there is no connection. True once requests can be sent. */
    boolean isReady(Node node) {
        return client.ready(node, now());
    }

    boolean hasFailed(Node node) {
        return client.connectionFailed(node);
    }

    /** Why the login or the TLS handshake with the broker failed; null if it did not. */
    AuthenticationException refusal(Node node) {
        return client.authenticationException(node);
    }

    /** How long to wait until it makes sense to call {@link #isReady} again. */
    long delayMs(Node node) {
        return client.pollDelayMs(node, now());
    }

    void send(Node node, AbstractRequest.Builder<?> request, int timeoutMs, RequestCompletionHandler done) {
        long now = now();
        client.send(client.newClientRequest(node.idString(), request, now, true, timeoutMs, done), now);
    }

    /** Sends, receives and calls the handlers of answers, for at most so long. */
    List<ClientResponse> poll(long timeoutMs) {
        return client.poll(timeoutMs, now());
    }

    int inFlight(Node node) {
        return client.inFlightRequestCount(node.idString());
    }

    /** Ends the connection. Requests that have no answer end as with a lost connection. */
    void disconnect(Node node) {
        client.disconnect(node.idString());
    }

    /** Ends a {@link #poll} early. Any thread. */
    void wakeup() {
        client.wakeup();
    }

    @Override
    public void close() {
        client.close();
        metrics.close();
    }

    private static long now() {
        return Time.SYSTEM.milliseconds();
    }

    private static ChannelBuilder channels(PeerSettings settings, PeerAddress address, LogContext log)
            throws IOException {
        Map<String, Object> values = new HashMap<>();
        values.put(CommonClientConfigs.SECURITY_PROTOCOL_CONFIG, address.protocol().name);
        switch (address.protocol()) {
            case PLAINTEXT -> {}
            case SSL -> encrypt(settings, values);
            case SASL_PLAINTEXT -> logIn(settings, values);
            case SASL_SSL -> {
                encrypt(settings, values);
                logIn(settings, values);
            }
        }
        ConfigDef known = new ConfigDef()
                .define(
                        CommonClientConfigs.SECURITY_PROTOCOL_CONFIG,
                        ConfigDef.Type.STRING,
                        "PLAINTEXT",
                        ConfigDef.Importance.HIGH,
                        "")
                .withClientSslSupport()
                .withClientSaslSupport();
        return ChannelBuilders.clientChannelBuilder(
                address.protocol(),
                JaasContext.Type.CLIENT,
                new AbstractConfig(known, values, false),
                ListenerName.normalised(address.listener()),
                settings.mechanism(),
                Time.SYSTEM,
                log);
    }

    private static void logIn(PeerSettings settings, Map<String, Object> values) throws IOException {
        if (settings.user().isEmpty() || settings.passwordFile().isEmpty()) {
            throw new IOException("The listener for brokers has SASL, but inter.broker.user or"
                    + " inter.broker.password.file of io.felice.replication.cfg is empty");
        }
        boolean isPlain = settings.mechanism().equals("PLAIN");
        String module = isPlain
                ? "org.apache.kafka.common.security.plain.PlainLoginModule"
                : "org.apache.kafka.common.security.scram.ScramLoginModule";
        values.put(SaslConfigs.SASL_MECHANISM, settings.mechanism());
        values.put(
                SaslConfigs.SASL_JAAS_CONFIG,
                new Password(module + " required username=" + quoted(settings.user()) + " password="
                        + quoted(Secrets.firstLine(Path.of(settings.passwordFile()))) + ";"));
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    private static void encrypt(PeerSettings settings, Map<String, Object> values) throws IOException {
        values.put(SslConfigs.SSL_ENDPOINT_IDENTIFICATION_ALGORITHM_CONFIG, settings.hostNames() ? "https" : "");
        if (!settings.trustStore().isEmpty()) {
            Path file = Path.of(settings.trustStore());
            boolean isPem = isPem(file);
            values.put(SslConfigs.SSL_TRUSTSTORE_TYPE_CONFIG, isPem ? "PEM" : "PKCS12");
            values.put(SslConfigs.SSL_TRUSTSTORE_LOCATION_CONFIG, file.toString());
            if (!isPem) {
                put(values, SslConfigs.SSL_TRUSTSTORE_PASSWORD_CONFIG, settings.trustStorePassword());
            }
        }
        if (!settings.keyStore().isEmpty()) {
            Path file = Path.of(settings.keyStore());
            boolean isPem = isPem(file);
            String ofKey = settings.keyPassword().isEmpty() ? settings.keyStorePassword() : settings.keyPassword();
            values.put(SslConfigs.SSL_KEYSTORE_TYPE_CONFIG, isPem ? "PEM" : "PKCS12");
            values.put(SslConfigs.SSL_KEYSTORE_LOCATION_CONFIG, file.toString());
            if (!isPem) {
                put(values, SslConfigs.SSL_KEYSTORE_PASSWORD_CONFIG, settings.keyStorePassword());
            }
            put(values, SslConfigs.SSL_KEY_PASSWORD_CONFIG, ofKey);
        }
    }

    private static void put(Map<String, Object> values, String key, String setting) throws IOException {
        if (!setting.isEmpty()) {
            values.put(key, new Password(Secrets.read(setting)));
        }
    }

    private static boolean isPem(Path file) throws IOException {
        if (Files.size(file) > Secrets.MOST_BYTES_OF_STORE) {
            throw new IOException(file + " is larger than " + Secrets.MOST_BYTES_OF_STORE + " bytes");
        }
        return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).contains("-----BEGIN ");
    }
}
