package io.felice.itests.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.container.Launcher.Result;
import io.felice.itests.rig.Ports;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Plugins that cannot be activated harm nobody who does not need them, also if a node starts with them. */
class HostileActivationTest {
    private static final List<Class<?>> HOSTILE = List.of(HostilePlugins.Throwing.class, HostilePlugins.Hanging.class);

    @TempDir
    Path directory;

    private Launcher node;
    private Etc etc;
    private String open;
    private String closed;

    @BeforeEach
    void start() throws Exception {
        open = "127.0.0.1:" + Ports.free();
        closed = "127.0.0.1:" + Ports.free();
        Path home = Archive.installation();
        etc = Etc.of(home, directory.resolve("etc"));
        etc.put("io.felice.network.cfg", "listeners", "PLAINTEXT://" + open + ",SASL_PLAINTEXT://" + closed);
        etc.put("io.felice.network.cfg", "sasl.enabled.mechanisms", "SCRAM-SHA-256");
        etc.put("io.felice.security.cfg", "plugin.timeout.ms", "2000");
        etc.put("io.felice.plugins.cfg", "patience.ms", "3000");
        etc.put("io.felice.plugins.cfg", "stop.ms", "1000");
        node = Launcher.of(home, directory.resolve("data"))
                .listeningOn(Ports.free(), Ports.free())
                .with("FELICE_ETC", etc.toString());
        run("start");
        Path password = Files.writeString(directory.resolve("password"), "secret\n");
        run("exec", "felice:user-set", "--password-file", password.toString(), "alice");
    }

    private void run(String... command) throws Exception {
        Result result = node.run(command);
        assertThat(result.exitCode()).as(result.output() + node.log()).isZero();
    }

    @AfterEach
    void stop() throws Exception {
        run("stop");
    }

    @Test
    void pluginsThatThrowOrHangWhenTheyAreActivatedHarmNobody() throws Exception {
        for (Class<?> plugin : HOSTILE) {
            Path dropped = directory.resolve("data/plugins").resolve(plugin.getSimpleName() + ".jar");
            Files.move(HostilePlugins.bundle(plugin, directory), dropped);
            Eventually.await(plugin.getSimpleName() + " fails", () -> plugins()
                    .matches("(?s).*" + plugin.getSimpleName() + " .*fails: .*"));
            assertEverybodyIsServed();
        }

        run("stop");
        run("start");
        assertEverybodyIsServed();
        String engines = node.exec("felice:status broker.engines").output();
        assertThat(engines).contains("HANGING", "THROWING", "starting", "its activation has failed");

        for (Class<?> plugin : HOSTILE) {
            String name = HostilePlugins.nameOf(plugin);
            etc.set("io.felice.security.cfg", "credential.store", name);
            Eventually.await("who needs the plugin " + name + " is refused", () -> !isServed(alice()));
            write(Map.of());
            assertThat(node.exec("felice:status security.stores").output()).contains(name);

            etc.set("io.felice.security.cfg", "credential.store", "felice");
            Eventually.await("who does not need it any more is served", () -> isServed(alice()));
        }
    }

    private String plugins() throws Exception {
        return node.exec("felice:plugin-list").output();
    }

    private void assertEverybodyIsServed() throws Exception {
        write(Map.of());
        write(alice());
    }

    private Map<String, Object> alice() {
        return Map.of(
                "bootstrap.servers",
                closed,
                "security.protocol",
                "SASL_PLAINTEXT",
                "sasl.mechanism",
                "SCRAM-SHA-256",
                "sasl.jaas.config",
                "org.apache.kafka.common.security.scram.ScramLoginModule required"
                        + " username=\"alice\" password=\"secret\";");
    }

    private boolean isServed(Map<String, Object> client) {
        Map<String, Object> impatient = new HashMap<>(client);
        impatient.put("max.block.ms", 4_000);
        impatient.put("request.timeout.ms", 3_000);
        impatient.put("delivery.timeout.ms", 4_000);
        impatient.put("linger.ms", 0);
        try {
            write(impatient);
            return true;
        } catch (Exception refused) {
            return false;
        }
    }

    private void write(Map<String, Object> client) throws Exception {
        Map<String, Object> settings = new HashMap<>(Map.of("bootstrap.servers", open, "max.block.ms", 30_000));
        settings.putAll(client);
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            producer.send(new ProducerRecord<>("orders", "an order")).get();
        }
    }
}
