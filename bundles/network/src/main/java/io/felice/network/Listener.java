package io.felice.network;

import java.util.Locale;
import java.util.Set;

/**
 * An address that the network listens on, and the address that clients are told.
 *
 * @param host the bound host; empty for all addresses
 * @param port the bound port; 0 for any free port
 * @param advertisedHost empty for the bound host
 * @param advertisedPort 0 for the bound port
 * @param wire the name of the wire that clients speak; {@link #KAFKA} for Kafka's protocol
 */
record Listener(
        String name,
        String securityProtocol,
        String host,
        int port,
        String advertisedHost,
        int advertisedPort,
        String wire) {
    static final String KAFKA = "kafka";

    private static final Set<String> ANY = Set.of("", "0.0.0.0", "::");

    boolean bindsEverywhere() {
        return ANY.contains(host);
    }

    boolean isKafka() {
        return wire.equals(KAFKA);
    }

    /** True if clients have to log in: by SASL, or in the way of the listener's wire. */
    boolean hasSasl() {
        return securityProtocol.startsWith("SASL_");
    }

    /** True if connections use TLS. */
    boolean isEncrypted() {
        return securityProtocol.endsWith("SSL");
    }

    /** True if the certificate of a client says who it is. With SASL_SSL its login does. */
    boolean asksForCertificates() {
        return securityProtocol.equals("SSL");
    }

    Listener advertised(Address address) {
        return new Listener(name, securityProtocol, host, port, address.host, address.port, wire);
    }

    @Override
    public String toString() {
        return name + " on " + (host.isEmpty() ? "all addresses" : host) + ":" + port;
    }

    /** {@code NAME://host:port}. */
    record Address(String name, String host, int port) {
        static Address parse(String text) {
            int afterName = text.indexOf("://");
            int beforePort = text.lastIndexOf(':');
            if (afterName < 1 || beforePort < afterName + 3) {
                throw new IllegalArgumentException("\"" + text + "\" is no listener; write NAME://host:port");
            }
            String name = text.substring(0, afterName).toUpperCase(Locale.ROOT);
            String host = text.substring(afterName + 3, beforePort);
            if (host.startsWith("[") && host.endsWith("]")) {
                host = host.substring(1, host.length() - 1);
            }
            return new Address(name, host, port(text, text.substring(beforePort + 1)));
        }

        private static int port(String listener, String text) {
            try {
                int port = Integer.parseInt(text);
                if (port >= 0 && port <= 65535) {
                    return port;
                }
            } catch (NumberFormatException noNumber) {
                // reported below, as for a number that is no port
            }
            throw new IllegalArgumentException("\"" + text + "\" in \"" + listener + "\" is no port");
        }
    }
}
