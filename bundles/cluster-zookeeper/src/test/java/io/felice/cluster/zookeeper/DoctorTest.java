package io.felice.cluster.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterStore;
import io.felice.zookeeper.ServerSettings;
import io.felice.zookeeper.SingleServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.server.NIOServerCnxnFactory;
import org.apache.zookeeper.server.ZooKeeperServer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoctorTest {
    @TempDir
    Path data;

    @TempDir
    Path etc;

    @BeforeEach
    void secret() throws IOException {
        AccessSecret.read(data.resolve("zookeeper.secret"), true);
    }

    @Test
    void aNodeWithoutMistakesHasNoFindings() throws Exception {
        try (SingleServer server = SingleServer.open(ServerSettings.onLoopback(data.resolve("server")))) {
            write("io.felice.cluster.zookeeper.cfg", "connect = " + server.connectString());
            write("io.felice.network.cfg", "listeners = PLAINTEXT://${env:FELICE_HOST:-127.0.0.1}:9092");
            ByteArrayOutputStream output = new ByteArrayOutputStream();

            int exitCode = doctor(10).report(new PrintStream(output, true, StandardCharsets.UTF_8));

            assertThat(output.toString(StandardCharsets.UTF_8)).isEqualToIgnoringNewLines("Nothing was found.");
            assertThat(exitCode).isZero();
        }
    }

    @Test
    void addressesThatNobodyReachesAndAnEvenEnsembleAreFound() throws Exception {
        write("io.felice.cluster.zookeeper.cfg", "connect = 192.0.2.1:1,192.0.2.2:1");
        write(
                "io.felice.network.cfg",
                "listeners = PLAINTEXT://127.0.0.1:9092,OUT://:9093,LOST://:9094",
                "advertised.listeners = OUT://0.0.0.0:9093,LOST://no-such-host.invalid:9094");
        write("io.felice.zookeeper.cfg", "ensemble = 192.0.2.1:1,192.0.2.2:1,192.0.2.3:1");

        List<String> findings = doctor(1).examine();

        assertThat(findings)
                .anyMatch(finding -> finding.contains("has 2 members"))
                .anyMatch(finding -> finding.contains("must be the same list"))
                .anyMatch(finding -> finding.contains("Listener PLAINTEXT is advertised at 127.0.0.1"))
                .anyMatch(finding -> finding.contains("OUT://0.0.0.0:9093, which is no address"))
                .anyMatch(finding -> finding.contains("no-such-host.invalid, which this machine cannot resolve"))
                .anyMatch(finding -> finding.contains("192.0.2.2:1 does not answer"))
                .hasSize(7);
    }

    @Test
    void twoBrokersAtOneAddressAreFound() throws Exception {
        try (SingleServer server = SingleServer.open(ServerSettings.onLoopback(data.resolve("server")))) {
            write("io.felice.cluster.zookeeper.cfg", "connect = " + server.connectString());
            ZooKeeperStore store = new ZooKeeperStore(TestEnsemble.config(
                    server.connectString(), 10_000, data.resolve("zookeeper.secret"), data.resolve("session")));
            CountDownLatch registered = new CountDownLatch(2);
            for (int id : List.of(1, 2)) {
                BrokerRegistration.Endpoint endpoint =
                        new BrokerRegistration.Endpoint("PLAINTEXT", "PLAINTEXT", "a.example", 9092);
                store.register(
                        new BrokerRegistration(id, UUID.randomUUID(), UUID.randomUUID(), List.of(endpoint), null),
                        new Registered(registered));
            }
            assertThat(registered.await(60, TimeUnit.SECONDS)).isTrue();

            List<String> findings = doctor(10).examine();

            assertThat(findings)
                    .containsExactly("Brokers 1 and 2 are both advertised at a.example:9092: clients of one reach the"
                            + " other");
            store.close(false);
        }
    }

    @Test
    void aServerThatLetsAnybodyDeleteZnodesIsFound() throws Exception {
        NIOServerCnxnFactory connections = new NIOServerCnxnFactory();
        connections.configure(new InetSocketAddress("127.0.0.1", 0), 0, -1, false);
        connections.startup(new ZooKeeperServer(
                data.resolve("plain").toFile(), data.resolve("plain").toFile(), 2_000));
        write("io.felice.cluster.zookeeper.cfg", "connect = 127.0.0.1:" + connections.getLocalPort());

        List<String> findings = doctor(10).examine();

        assertThat(findings).hasSize(1).first().asString().contains("has version 3.9.5", "CVE-2026-79993");
        connections.shutdown();
    }

    private Doctor doctor(long answersWithinSeconds) {
        return new Doctor(data, etc, Map.of(), Duration.ofSeconds(answersWithinSeconds));
    }

    private void write(String file, String... lines) throws IOException {
        Files.write(etc.resolve(file), List.of(lines));
    }

    private record Registered(CountDownLatch latch) implements ClusterStore.RegistrationListener {
        @Override
        public void registered(long brokerEpoch) {
            latch.countDown();
        }

        @Override
        public void refused(String reason) {
            throw new AssertionError(reason);
        }
    }
}
