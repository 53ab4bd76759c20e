package io.felice.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.cluster.Admin;
import io.felice.api.policy.TopicPolicy;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.api.security.Users;
import io.felice.controller.Controller;
import io.felice.itests.rig.Java;
import io.felice.testkit.FeliceCluster;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.ComponentServiceObjects;

/** Brokers that log in to each other, and clients that are connected to a broker that is not the controller. */
@Timeout(120)
class ForwardedClientsTest {
    private static final List<String> USERS = List.of("alice", "brokers");

    @TempDir
    Path directory;

    @Test
    void aPolicyAtTheControllerSeesTheClientOfAnotherBroker() throws Exception {
        Path password = Files.writeString(directory.resolve("password"), "secret\n");
        try (FeliceCluster cluster = FeliceCluster.of(2)
                .config("io.felice.network", "listeners", "SASL_PLAINTEXT://127.0.0.1:0")
                .config("io.felice.network", "sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-512")
                .config("io.felice.replication", "inter.broker.user", "brokers")
                .config("io.felice.replication", "inter.broker.password.file", password.toString())
                .config("io.felice.security", "authorizer", "acl")
                .config("io.felice.security", "super.users", "User:alice;User:brokers")
                .start()) {
            int controller = cluster.controller();
            for (String user : USERS) {
                cluster.node(controller)
                        .service(Users.class)
                        .setPassword(user, "secret".getBytes(StandardCharsets.UTF_8))
                        .toCompletableFuture()
                        .join();
            }
            List<Optional<Requester>> seen = new CopyOnWriteArrayList<>();
            TopicPolicy policy = change -> {
                seen.add(change.requester());
                return Optional.empty();
            };
            ((Controller) cluster.node(controller).service(Admin.class))
                    .bindPolicy(new Offered(policy), Map.of(TopicPolicy.NAME, "who"));

            try (KafkaProducer<String, String> producer =
                    Java.textProducer(cluster.bootstrap(3 - controller), Clients.with(asAlice()))) {
                assertThat(producer.partitionsFor("made-by-a-question")).isNotEmpty();
            }

            assertThat(seen)
                    .containsOnly(
                            Optional.of(new Requester(Principal.user("alice"), InetAddress.getByName("127.0.0.1"))));
        }
    }

    private static Map<String, Object> asAlice() {
        return Map.of(
                "security.protocol",
                "SASL_PLAINTEXT",
                "sasl.mechanism",
                "PLAIN",
                "sasl.jaas.config",
                "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"alice\""
                        + " password=\"secret\";");
    }

    private record Offered(TopicPolicy getService) implements ComponentServiceObjects<TopicPolicy> {
        @Override
        public void ungetService(TopicPolicy service) {
            // There is nothing to give back.
        }

        @Override
        public ServiceReference<TopicPolicy> getServiceReference() {
            return null;
        }
    }
}
