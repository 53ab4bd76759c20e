package io.felice.network;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The settings of listeners with SASL.
 *
 * @param mechanisms by the name of each listener with SASL, in the order of the configuration
 * @param reauthentication after how long a client has to log in again; zero if it has not
 * @param messageBytes the size of the largest message of a login
 * @param login how long a client may take to log in
 */
record SaslSettings(Map<String, List<String>> mechanisms, Duration reauthentication, int messageBytes, Duration login) {
    static final String ENABLED_MECHANISMS = "sasl.enabled.mechanisms";
    static final String MECHANISMS_MAP = "listener.sasl.mechanisms.map";

    /** RFC 4422, section 3.1, with room for longer names of plugins. */
    private static final Pattern MECHANISM = Pattern.compile("[A-Z0-9_-]{1,64}");

    /** @throws IllegalArgumentException with a sentence for the operator */
    static SaslSettings of(NetworkServer.Config config, List<Listener> listeners) {
        return new SaslSettings(
                mechanisms(config, listeners),
                Duration.ofMillis(config.connections_max_reauth_ms()),
                config.sasl_server_max_receive_size(),
                Duration.ofMillis(config.sasl_login_timeout_ms()));
    }

    List<String> mechanismsOf(String listener) {
        return mechanisms.getOrDefault(listener, List.of());
    }

    private static Map<String, List<String>> mechanisms(NetworkServer.Config config, List<Listener> listeners) {
        List<String> ofAll =
                checked(ENABLED_MECHANISMS, NetworkSettings.split(config.sasl_enabled_mechanisms()).stream());
        Map<String, List<String>> ofOne = map(config.listener_sasl_mechanisms_map());
        Map<String, List<String>> mechanisms = new LinkedHashMap<>();
        for (Listener listener : listeners) {
            List<String> own = ofOne.remove(listener.name());
            if (listener.hasSasl() && listener.isKafka()) {
                mechanisms.put(listener.name(), required(listener, own == null ? ofAll : own));
            } else if (own != null) {
                throw new IllegalArgumentException(MECHANISMS_MAP + ": listener " + listener.name() + " is "
                        + (listener.isKafka() ? listener.securityProtocol() : "of the wire " + listener.wire())
                        + ", which has no SASL");
            }
        }
        if (!ofOne.isEmpty()) {
            throw new IllegalArgumentException(MECHANISMS_MAP + ": there is no listener "
                    + ofOne.keySet().iterator().next());
        }
        return Map.copyOf(mechanisms);
    }

    private static List<String> required(Listener listener, List<String> mechanisms) {
        if (mechanisms.isEmpty()) {
            throw new IllegalArgumentException("listener " + listener.name() + " is " + listener.securityProtocol()
                    + ", but " + ENABLED_MECHANISMS + " names no mechanism, so nobody could log in");
        }
        return mechanisms;
    }

    /** Reads {@code LISTENER:MECHANISM+MECHANISM}. */
    private static Map<String, List<String>> map(String[] texts) {
        Map<String, List<String>> map = new LinkedHashMap<>();
        for (String entry : NetworkSettings.split(texts)) {
            int colon = entry.indexOf(':');
            if (colon < 1) {
                throw new IllegalArgumentException(MECHANISMS_MAP + ": \"" + entry
                        + "\" is not LISTENER:MECHANISM+MECHANISM, for example CLIENTS:PLAIN+SCRAM-SHA-256");
            }
            String listener = entry.substring(0, colon).trim().toUpperCase(Locale.ROOT);
            map.put(
                    listener,
                    checked(MECHANISMS_MAP, Stream.of(entry.substring(colon + 1).split("\\+"))));
        }
        return map;
    }

    private static List<String> checked(String option, Stream<String> names) {
        List<String> mechanisms = names.map(String::trim)
                .filter(name -> !name.isEmpty())
                .distinct()
                .toList();
        for (String mechanism : mechanisms) {
            if (!MECHANISM.matcher(mechanism).matches()) {
                throw new IllegalArgumentException(option + ": \"" + mechanism
                        + "\" is no name of a mechanism, which has capital letters, digits, - and _");
            }
        }
        return mechanisms;
    }
}
