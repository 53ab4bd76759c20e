package io.felice.network;

import io.felice.api.config.BrokerConfig;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * How many connections may be open, and how many may be made in a second: of the node, and of each listener that has
 * limits of its own (KIP-402, KIP-612).
 *
 * @param most open connections
 * @param mostPerAddress open connections of an address without a limit of its own
 * @param ofAddresses by host name or address: open connections of this address
 * @param perSecond connections that are accepted in a second
 * @param ofListeners by the listener's name in lower case
 */
record ConnectionLimits(
        int most,
        int mostPerAddress,
        Map<String, Integer> ofAddresses,
        int perSecond,
        Map<String, OfListener> ofListeners) {
    static final int UNLIMITED = Integer.MAX_VALUE;

    private static final OfListener NONE = new OfListener(UNLIMITED, UNLIMITED);

    /** The limits of one listener; the node's limits hold as well. */
    record OfListener(int most, int perSecond) {}

    ConnectionLimits {
        ofAddresses = Map.copyOf(ofAddresses);
        ofListeners = Map.copyOf(ofListeners);
    }

    OfListener of(Listener listener) {
        return ofListeners.getOrDefault(listener.name().toLowerCase(Locale.ROOT), NONE);
    }

    /**
     * These limits with values from the cluster's metadata in place of some of them.
     *
     * @param values by Kafka's names; names of other settings are ignored
     */
    ConnectionLimits with(Map<String, String> values) {
        return new ConnectionLimits(
                number(values, BrokerConfig.MAX_CONNECTIONS, most),
                number(values, BrokerConfig.MAX_CONNECTIONS_PER_IP, mostPerAddress),
                values.containsKey(BrokerConfig.MAX_CONNECTIONS_PER_IP_OVERRIDES)
                        ? addresses(values.get(BrokerConfig.MAX_CONNECTIONS_PER_IP_OVERRIDES))
                        : ofAddresses,
                number(values, BrokerConfig.MAX_CONNECTION_CREATION_RATE, perSecond),
                listeners(values));
    }

    private static int number(Map<String, String> values, String key, int otherwise) {
        String value = values.get(key);
        return value == null ? otherwise : Integer.parseInt(value.trim());
    }

    private static Map<String, OfListener> listeners(Map<String, String> values) {
        Map<String, OfListener> listeners = new HashMap<>();
        values.keySet().stream()
                .filter(key -> key.startsWith(BrokerConfig.OF_LISTENER))
                .map(key -> key.substring(BrokerConfig.OF_LISTENER.length()).split("\\.", 2)[0])
                .distinct()
                .forEach(name -> listeners.put(name, listener(values, BrokerConfig.OF_LISTENER + name + ".")));
        return listeners;
    }

    private static OfListener listener(Map<String, String> values, String prefix) {
        return new OfListener(
                number(values, prefix + BrokerConfig.MAX_CONNECTIONS, UNLIMITED),
                number(values, prefix + BrokerConfig.MAX_CONNECTION_CREATION_RATE, UNLIMITED));
    }

    /**
     * Reads {@code host:number,host:number}.
     *
     * @throws IllegalArgumentException with a sentence for the operator
     */
    static Map<String, Integer> addresses(String text) {
        Map<String, Integer> addresses = new LinkedHashMap<>();
        for (String item : text.split(",")) {
            if (!item.isBlank()) {
                int colon = item.lastIndexOf(':');
                String host = colon < 1 ? "" : item.substring(0, colon).trim();
                addresses.put(host.replaceAll("[\\[\\]]", ""), most(item, host, item.substring(colon + 1)));
            }
        }
        return addresses;
    }

    private static int most(String item, String host, String number) {
        if (host.isEmpty() || !number.trim().matches("\\d{1,9}")) {
            throw new IllegalArgumentException(BrokerConfig.MAX_CONNECTIONS_PER_IP_OVERRIDES + ": \"" + item.trim()
                    + "\" is not ADDRESS:NUMBER, for example 10.0.0.1:100");
        }
        return Integer.parseInt(number.trim());
    }
}
