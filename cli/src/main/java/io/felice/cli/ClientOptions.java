package io.felice.cli;

import java.io.IOException;
import java.io.Reader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import picocli.CommandLine.Option;

/** Which cluster a command asks, and as whom. A flag wins over a variable, and a variable over the file of settings. */
final class ClientOptions {
    private static final String BOOTSTRAP = "bootstrap.servers";
    private static final String NO_NODE = "127.0.0.1:9092";

    @Option(
            names = {"-b", "--bootstrap"},
            paramLabel = "HOST:PORT",
            order = 100,
            description = "Brokers to ask first, with commas between. FELICE_BOOTSTRAP; else the node of this"
                    + " installation, else " + NO_NODE + ".")
    String bootstrap;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            order = 101,
            description = "Settings of Kafka clients, for example for TLS. FELICE_CONFIG.")
    Path config;

    @Option(
            names = "--user",
            paramLabel = "NAME",
            order = 102,
            description = "Logs in with SCRAM-SHA-512; asks for the password. FELICE_USER.")
    String user;

    @Option(
            names = "--password-file",
            paramLabel = "FILE",
            order = 103,
            description = "The password of --user. FELICE_PASSWORD_FILE.")
    Path passwordFile;

    @Option(
            names = "--ca",
            paramLabel = "FILE",
            order = 104,
            description = "Encrypts, and trusts the certificates in this PEM file. FELICE_CA.")
    Path ca;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            order = 105,
            description = "How long to wait for the cluster: 500ms, 30s, 2m. FELICE_TIMEOUT; else 15s.")
    String timeout;

    @Option(
            names = "-X",
            paramLabel = "KEY=VALUE",
            order = 106,
            description = "Another setting of the Kafka client. Secrets belong into --config FILE.")
    Map<String, String> settings = new HashMap<>();

    private final Terminal terminal;

    ClientOptions(Terminal terminal) {
        this.terminal = terminal;
    }

    Admin admin() {
        return Admin.create(properties());
    }

    KafkaProducer<byte[], byte[]> producer(Map<String, Object> more) {
        return new KafkaProducer<>(with(more), new ByteArraySerializer(), new ByteArraySerializer());
    }

    KafkaConsumer<byte[], byte[]> consumer(Map<String, Object> more) {
        return new KafkaConsumer<>(with(more), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private Map<String, Object> with(Map<String, Object> more) {
        Map<String, Object> all = new HashMap<>(more);
        all.putAll(properties());
        return all;
    }

    /** Waits for the outcome of a request. */
    <T> T get(Future<T> outcome) {
        try {
            return outcome.get(timeoutMs() + 1000L, TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException failure) {
            throw CliFailure.of(failure);
        } catch (InterruptedException interrupted) {
            throw new CliFailure(130, "INTERRUPTED", "The command was interrupted.", null);
        }
    }

    int timeoutMs() {
        String text = first(timeout, "FELICE_TIMEOUT");
        return text == null
                ? 15_000
                : (int) Math.min(
                        Integer.MAX_VALUE / 2, HumanUnits.duration(text).toMillis());
    }

    /** The settings of a client, after a look whether one of the brokers accepts connections at all. */
    Map<String, Object> properties() {
        Map<String, Object> all = settings();
        requireReachable((String) all.get(BOOTSTRAP));
        return all;
    }

    /** The settings of a client. */
    Map<String, Object> settings() {
        Map<String, Object> all = new HashMap<>();
        all.put("client.id", "felice-cli");
        all.put("request.timeout.ms", timeoutMs());
        all.put("default.api.timeout.ms", timeoutMs());
        all.put("enable.metrics.push", false);
        file().forEach((key, value) -> all.put(key.toString(), value));
        logIn(all);
        String servers = first(bootstrap, "FELICE_BOOTSTRAP");
        if (servers != null) {
            all.put(BOOTSTRAP, servers);
        } else {
            all.computeIfAbsent(BOOTSTRAP, unset -> ofThisNode());
        }
        all.putAll(settings);
        return all;
    }

    private Properties file() {
        Properties properties = new Properties();
        String file = first(config == null ? null : config.toString(), "FELICE_CONFIG");
        if (file != null) {
            try (Reader reader = Files.newBufferedReader(Path.of(file))) {
                properties.load(reader);
            } catch (IOException unreadable) {
                throw CliFailure.usage("The settings " + file + " cannot be read: " + unreadable.getMessage(), null);
            }
        }
        return properties;
    }

    private void logIn(Map<String, Object> all) {
        String trusted = first(ca == null ? null : ca.toString(), "FELICE_CA");
        String name = first(user, "FELICE_USER");
        if (trusted != null) {
            all.put("ssl.truststore.type", "PEM");
            all.put("ssl.truststore.location", trusted);
        }
        if (name != null) {
            all.putIfAbsent("sasl.mechanism", "SCRAM-SHA-512");
            all.put("sasl.jaas.config", jaas(all.get("sasl.mechanism").toString(), name, password(name)));
        }
        if (trusted != null || name != null) {
            all.put(
                    "security.protocol",
                    name == null
                            ? "SSL"
                            : trusted != null
                                            || String.valueOf(all.get("security.protocol"))
                                                    .endsWith("SSL")
                                    ? "SASL_SSL"
                                    : "SASL_PLAINTEXT");
        }
    }

    private static String jaas(String mechanism, String name, String password) {
        String module = mechanism.equals("PLAIN") ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
        return "org.apache.kafka.common.security." + module + " required username=" + quoted(name) + " password="
                + quoted(password) + ";";
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    private String password(String name) {
        String file = first(passwordFile == null ? null : passwordFile.toString(), "FELICE_PASSWORD_FILE");
        return file == null ? terminal.secret("Password of " + name + ": ") : PasswordSource.read(Path.of(file));
    }

    /** The address that the node of this installation has written when it was ready. */
    private String ofThisNode() {
        String data = System.getProperty("felice.data", terminal.environment().get("FELICE_DATA"));
        Path ready = data == null ? null : Path.of(data, "felice.ready");
        if (ready != null && Files.isReadable(ready)) {
            try {
                for (String line : Files.readAllLines(ready)) {
                    if (line.startsWith("bootstrap=")) {
                        return line.substring("bootstrap=".length());
                    }
                }
            } catch (IOException gone) {
                return NO_NODE;
            }
        }
        return NO_NODE;
    }

    /** A client would try again and again; a refused connection is known at once. */
    private void requireReachable(String servers) {
        String last = null;
        for (String server : servers.split("\\s*,\\s*")) {
            int colon = server.lastIndexOf(':');
            if (colon < 1 || !server.substring(colon + 1).matches("\\d{1,5}")) {
                throw CliFailure.usage("\"" + server + "\" is not HOST:PORT.", null);
            }
            String host = server.substring(0, colon).replaceAll("[\\[\\]]", "");
            InetSocketAddress address = new InetSocketAddress(host, Integer.parseInt(server.substring(colon + 1)));
            if (address.isUnresolved()) {
                last = "the host " + host + " is unknown";
                continue;
            }
            try (Socket socket = new Socket()) {
                socket.connect(address, timeoutMs());
                return;
            } catch (IOException refused) {
                last = refused.getMessage();
            }
        }
        throw new CliFailure(
                CliFailure.FAILED,
                "UNREACHABLE",
                "No broker accepts connections at " + servers + ": " + last + ".",
                "Start a node with felice start, or name a broker with --bootstrap HOST:PORT.");
    }

    private String first(String flag, String variable) {
        String value = flag != null ? flag : terminal.environment().get(variable);
        return value == null || value.isBlank() ? null : value;
    }
}
