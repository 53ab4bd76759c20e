package io.felice.network;

import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.Endpoints;
import io.felice.api.config.BrokerConfig;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The endpoints of a server whose listeners are bound, and its settings as Kafka's tools show them. */
final class OpenEndpoints implements Endpoints {
    private final Server server;
    private final Executor changes;
    private final List<BrokerRegistration.Endpoint> endpoints;

    /** @param changes runs what may take a while */
    OpenEndpoints(Server server, Executor changes) {
        this.server = server;
        this.changes = changes;
        this.endpoints = server.endpoints();
    }

    @Override
    public List<BrokerRegistration.Endpoint> endpoints() {
        return endpoints;
    }

    @Override
    public Map<String, String> settings() {
        List<Listener> listeners = server.settings().listeners();
        Limits limits = server.limitsOfFile();
        ConnectionLimits connections = limits.connections();
        Map<String, String> settings = new HashMap<>();
        settings.put(
                BrokerConfig.LISTENERS,
                each(listeners, listener -> address(listener.name(), listener.host(), listener.port())));
        settings.put(
                BrokerConfig.ADVERTISED_LISTENERS,
                each(endpoints, endpoint -> address(endpoint.listener(), endpoint.host(), endpoint.port())));
        settings.put(
                BrokerConfig.LISTENER_SECURITY_PROTOCOL_MAP,
                each(listeners, listener -> listener.name() + ":" + listener.securityProtocol()));
        settings.put(
                BrokerConfig.NUM_NETWORK_THREADS,
                Integer.toString(server.settings().threads()));
        settings.put(BrokerConfig.SOCKET_REQUEST_MAX_BYTES, Integer.toString(limits.requestBytes()));
        settings.put(BrokerConfig.MAX_CONNECTIONS, Integer.toString(connections.most()));
        settings.put(BrokerConfig.MAX_CONNECTIONS_PER_IP, Integer.toString(connections.mostPerAddress()));
        settings.put(
                BrokerConfig.MAX_CONNECTIONS_PER_IP_OVERRIDES,
                each(new TreeMap<>(connections.ofAddresses()).entrySet(), of -> of.getKey() + ":" + of.getValue()));
        settings.put(BrokerConfig.MAX_CONNECTION_CREATION_RATE, Integer.toString(connections.perSecond()));
        settings.put(
                BrokerConfig.CONNECTIONS_MAX_IDLE_MS,
                Long.toString(limits.idle().toMillis()));
        return settings;
    }

    @Override
    public void override(Map<String, String> values) {
        try {
            changes.execute(() -> server.override(values));
        } catch (RejectedExecutionException leaving) {
            // These endpoints are about to be unregistered.
        }
    }

    private static String address(String name, String host, int port) {
        return name + "://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }

    private static <T> String each(Collection<T> items, Function<T, String> text) {
        return items.stream().map(text).collect(Collectors.joining(","));
    }
}
