package io.felice.cli;

import io.felice.shell.text.Listing;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.ApiVersions;
import org.apache.kafka.clients.BootstrapConfiguration;
import org.apache.kafka.clients.ClientUtils;
import org.apache.kafka.clients.ManualMetadataUpdater;
import org.apache.kafka.clients.MetadataRecoveryStrategy;
import org.apache.kafka.clients.NetworkClient;
import org.apache.kafka.clients.NetworkClientUtils;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.network.Selector;
import org.apache.kafka.common.requests.MetadataRequest;
import org.apache.kafka.common.requests.MetadataResponse;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.internals.LogContext;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code felice doctor --client}: does what a client does, one step after the other, and says which one fails and why. */
@Command(
        name = "doctor",
        description =
                "Looks for common mistakes: in the configuration, the disk and the ensemble of this node; or, with"
                        + " --client, in the addresses at which brokers say that they are.")
final class DoctorCommand implements Callable<Integer> {
    @Mixin
    ClientOptions client;

    @Mixin
    OutputOptions output;

    @Option(
            names = "--client",
            paramLabel = "HOST:PORT",
            description =
                    "Connects to this broker as a client on this machine does, and then to each broker that it names.")
    String address;

    private final Listing steps = new Listing("step", "address", "result", "why");

    @Override
    public Integer call() {
        if (address == null) {
            throw CliFailure.usage("The launcher runs felice doctor without --client.", null);
        }
        client.bootstrap = address;
        Map<String, Object> settings = client.settings();
        Node first = node(-1, address);
        MetadataResponse metadata = ask("bootstrap", first, settings, first.host());
        if (metadata != null) {
            Collection<Node> brokers = metadata.brokers();
            steps.row("metadata", address, "ok", TopicCommands.counted(brokers.size(), "broker"));
            List<Node> inOrder = new ArrayList<>(brokers);
            inOrder.sort(Comparator.comparing(Node::id));
            inOrder.forEach(broker -> ask("broker " + broker.id(), broker, settings, first.host()));
        }
        output.print(steps, "");
        boolean isHealthy = steps.rows().stream().allMatch(row -> row.get(2).equals("ok"));
        output.note(
                isHealthy
                        ? "Clients on this machine reach every broker."
                        : "Clients on this machine do not reach every broker.");
        return isHealthy ? 0 : CliFailure.FAILED;
    }

    private static Node node(int id, String address) {
        int colon = address.lastIndexOf(':');
        if (colon < 1 || !address.substring(colon + 1).matches("\\d{1,5}")) {
            throw CliFailure.usage("\"" + address + "\" is not HOST:PORT.", null);
        }
        return new Node(
                id,
                address.substring(0, colon).replaceAll("[\\[\\]]", ""),
                Integer.parseInt(address.substring(colon + 1)));
    }

    /** What a broker answers; null if a step fails, which is noted then. */
    private MetadataResponse ask(String step, Node node, Map<String, Object> settings, String bootstrapHost) {
        String where = node.host() + ":" + node.port();
        String why = unreachable(node, bootstrapHost);
        MetadataResponse answer = null;
        if (why == null) {
            try {
                answer = metadata(node, settings);
            } catch (AuthenticationException refused) {
                why = "The broker refuses the login or the certificate: " + refused.getMessage();
            } catch (IOException | KafkaException failed) {
                why = "The port is open, but no broker answers with this security: " + failed.getMessage()
                        + ". Is security.protocol that of the listener?";
            }
        }
        steps.row(step, where, why == null ? "ok" : "FAILED", why == null ? "" : why + hint(step, node, bootstrapHost));
        return answer;
    }

    /** Why no connection comes about; null if one does. */
    private String unreachable(Node node, String bootstrapHost) {
        InetAddress found;
        try {
            found = InetAddress.getByName(node.host());
        } catch (UnknownHostException unknown) {
            return "The host " + node.host() + " cannot be resolved here.";
        }
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(found, node.port()), client.timeoutMs());
            return null;
        } catch (IOException failed) {
            return "No connection: " + failed.getMessage() + "."
                    + (found.isLoopbackAddress() && !isLoopback(bootstrapHost)
                            ? " " + node.host() + " is this machine, not that of the broker."
                            : "");
        }
    }

    private static boolean isLoopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException unknown) {
            return false;
        }
    }

    private static String hint(String step, Node node, String bootstrapHost) {
        return step.startsWith("broker")
                ? " The broker advertises this address: start it with --host, or with"
                        + " FELICE_ADVERTISED_LISTENERS (advertised.listeners), so that clients here can use it"
                        + (isLoopback(node.host()) ? ", for example at " + bootstrapHost + "." : ".")
                : "";
    }

    private MetadataResponse metadata(Node node, Map<String, Object> settings) throws IOException {
        LogContext log = new LogContext();
        Time time = Time.SYSTEM;
        AdminClientConfig config = new AdminClientConfig(settings);
        try (Metrics metrics = new Metrics();
                Selector selector = new Selector(
                        60_000, metrics, time, "doctor", ClientUtils.createChannelBuilder(config, time, log), log);
                NetworkClient network = new NetworkClient(
                        selector,
                        new ManualMetadataUpdater(List.of(node)),
                        "felice-doctor",
                        1,
                        50,
                        50,
                        64 << 10,
                        64 << 10,
                        client.timeoutMs(),
                        client.timeoutMs(),
                        client.timeoutMs(),
                        time,
                        true,
                        new ApiVersions(),
                        log,
                        MetadataRecoveryStrategy.NONE,
                        BootstrapConfiguration.DISABLED,
                        true)) {
            if (!NetworkClientUtils.awaitReady(network, node, time, client.timeoutMs())) {
                throw new IOException("no answer within " + client.timeoutMs() + " ms");
            }
            return (MetadataResponse) NetworkClientUtils.sendAndReceive(
                            network,
                            network.newClientRequest(
                                    node.idString(),
                                    new MetadataRequest.Builder(List.of(), false),
                                    time.milliseconds(),
                                    true),
                            time)
                    .responseBody();
        }
    }
}
