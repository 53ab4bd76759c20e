package io.felice.network;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * The configuration of the network, checked and parsed.
 *
 * @param threads I/O threads
 * @param wireHangs after how long a thread is taken from a wire that does not return
 */
record NetworkSettings(
        List<Listener> listeners,
        int threads,
        Transfer transfer,
        Limits limits,
        TlsSettings tls,
        Duration wireHangs,
        boolean requestLog) {
    private static final Set<String> PROTOCOLS = Set.of("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL");

    /** @throws IllegalArgumentException with a sentence for the operator */
    static NetworkSettings of(NetworkServer.Config config) {
        int cores = Runtime.getRuntime().availableProcessors();
        int threads = config.num_network_threads() > 0 ? config.num_network_threads() : Math.max(1, cores / 2);
        List<Listener> listeners = listeners(config);
        return new NetworkSettings(
                listeners,
                threads,
                transfer(config),
                limits(config, SaslSettings.of(config, listeners)),
                TlsSettings.of(config, listeners),
                Duration.ofMillis(config.wire_timeout_ms()),
                config.request_log());
    }

    /** True if both settings have the same sockets, so that the open ones can stay. */
    boolean hasSameSockets(NetworkSettings other) {
        return listeners.equals(other.listeners) && threads == other.threads && transfer == other.transfer;
    }

    private static List<Listener> listeners(NetworkServer.Config config) {
        Map<String, String> protocols =
                map("listener.security.protocol.map", "PROTOCOL", config.listener_security_protocol_map());
        protocols.replaceAll((listener, protocol) -> protocol.toUpperCase(Locale.ROOT));
        Map<String, String> wires = map("listener.wire.map", "WIRE", config.listener_wire_map());
        Map<String, Listener> byName = new LinkedHashMap<>();
        Set<Integer> ports = new HashSet<>();
        for (Listener.Address bound : addresses("listeners", config.listeners())) {
            String wire = wires.getOrDefault(bound.name(), Listener.KAFKA);
            boolean isNamedFreely = !wire.equals(Listener.KAFKA) && !PROTOCOLS.contains(bound.name());
            String protocol = protocols.getOrDefault(bound.name(), isNamedFreely ? "PLAINTEXT" : bound.name());
            requireKnown(bound.name(), protocol);
            if (bound.port() != 0 && !ports.add(bound.port())) {
                throw new IllegalArgumentException("listeners: two of them use port " + bound.port());
            }
            byName.put(bound.name(), new Listener(bound.name(), protocol, bound.host(), bound.port(), "", 0, wire));
        }
        if (byName.values().stream().noneMatch(Listener::isKafka)) {
            throw new IllegalArgumentException(
                    "listeners: there is none for Kafka clients; PLAINTEXT://127.0.0.1:9092 is the default");
        }
        for (String name : wires.keySet()) {
            if (!byName.containsKey(name)) {
                throw new IllegalArgumentException(
                        "listener.wire.map: " + name + " is not among the listeners " + byName.keySet());
            }
        }
        for (Listener.Address told : addresses("advertised.listeners", config.advertised_listeners())) {
            Listener listener = byName.get(told.name());
            if (listener == null) {
                throw new IllegalArgumentException(
                        "advertised.listeners: " + told.name() + " is not among the listeners " + byName.keySet());
            }
            if (!listener.isKafka()) {
                throw new IllegalArgumentException("advertised.listeners: clients of " + told.name() + " speak "
                        + listener.wire() + "; only Kafka clients are told the address of a listener");
            }
            byName.put(told.name(), listener.advertised(told));
        }
        return List.copyOf(byName.values());
    }

    private static List<Listener.Address> addresses(String option, String[] texts) {
        List<Listener.Address> addresses = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (String text : split(texts)) {
            Listener.Address address = address(option, text);
            if (!names.add(address.name())) {
                throw new IllegalArgumentException(option + ": " + address.name() + " is there twice");
            }
            addresses.add(address);
        }
        return addresses;
    }

    private static Listener.Address address(String option, String text) {
        try {
            return Listener.Address.parse(text);
        } catch (IllegalArgumentException unreadable) {
            throw new IllegalArgumentException(option + ": " + unreadable.getMessage(), unreadable);
        }
    }

    private static void requireKnown(String listener, String protocol) {
        if (!PROTOCOLS.contains(protocol)) {
            String known = PROTOCOLS.stream().sorted().toList().toString();
            throw new IllegalArgumentException(
                    listener.equals(protocol)
                            ? "listeners: " + listener + " is none of " + known
                                    + ", and listener.security.protocol.map does not say which of them it means"
                            : "listener.security.protocol.map: " + protocol + " of listener " + listener
                                    + " is none of " + known);
        }
    }

    /** Reads {@code LISTENER:VALUE}. */
    private static Map<String, String> map(String option, String value, String[] texts) {
        Map<String, String> map = new LinkedHashMap<>();
        for (String entry : split(texts)) {
            int colon = entry.indexOf(':');
            if (colon < 1) {
                throw new IllegalArgumentException(option + ": \"" + entry + "\" is not NAME:" + value);
            }
            map.put(
                    entry.substring(0, colon).trim().toUpperCase(Locale.ROOT),
                    entry.substring(colon + 1).trim());
        }
        return map;
    }

    /** Splits values at commas too, because a file has a list as one value with commas. */
    static List<String> split(String[] texts) {
        return Arrays.stream(texts)
                .flatMap(text -> Arrays.stream(text.split(",")))
                .map(String::trim)
                .filter(text -> !text.isEmpty())
                .toList();
    }

    private static Transfer transfer(NetworkServer.Config config) {
        try {
            return Transfer.valueOf(config.fetch_transfer().toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException unknown) {
            throw new IllegalArgumentException(
                    "fetch.transfer: \"" + config.fetch_transfer() + "\" is none of auto, buffer, sendfile", unknown);
        }
    }

    private static Limits limits(NetworkServer.Config config, SaslSettings sasl) {
        requirePositive("socket.request.max.bytes", config.socket_request_max_bytes());
        requirePositive("max.in.flight.requests.per.connection", config.max_in_flight_requests_per_connection());
        requirePositive("max.in.flight.requests", config.max_in_flight_requests());
        requirePositive("queued.response.bytes", config.queued_response_bytes());
        requirePositive("connections.max.idle.ms", config.connections_max_idle_ms());
        requirePositive("response.stalled.ms", config.response_stalled_ms());
        long memory = config.request_memory_bytes() > 0
                ? config.request_memory_bytes()
                : Runtime.getRuntime().maxMemory() / 4;
        return new Limits(
                config.socket_request_max_bytes(),
                memory,
                config.max_in_flight_requests_per_connection(),
                config.max_in_flight_requests(),
                config.queued_response_bytes(),
                connections(config),
                Duration.ofMillis(config.connections_max_idle_ms()),
                Duration.ofMillis(config.response_stalled_ms()),
                Duration.ofMillis(config.held_requests_ms()),
                config.held_requests(),
                config.held_requests_bytes(),
                sasl);
    }

    private static ConnectionLimits connections(NetworkServer.Config config) {
        requirePositive("max.connections", config.max_connections());
        requirePositive("max.connection.creation.rate", config.max_connection_creation_rate());
        Map<String, Integer> ofAddresses = ConnectionLimits.addresses(config.max_connections_per_ip_overrides());
        if (ofAddresses.isEmpty()) {
            requirePositive("max.connections.per.ip", config.max_connections_per_ip());
        }
        return new ConnectionLimits(
                config.max_connections(),
                config.max_connections_per_ip(),
                ofAddresses,
                config.max_connection_creation_rate(),
                Map.of());
    }

    private static void requirePositive(String option, long value) {
        if (value <= 0) {
            throw new IllegalArgumentException(option + " is " + value + "; it must be at least 1");
        }
    }

    /** The advertised host of a listener that is bound to all addresses. Blocks: asks the resolver. */
    static String localHost() {
        try {
            return InetAddress.getLocalHost().getCanonicalHostName();
        } catch (UnknownHostException nameless) {
            return InetAddress.getLoopbackAddress().getHostAddress();
        }
    }
}
