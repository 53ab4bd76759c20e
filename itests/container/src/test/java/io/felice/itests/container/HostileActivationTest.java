package io.felice.itests.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.container.Launcher.Result;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A plugin that cannot be activated keeps nobody from a node who does not need it, also when the node starts with it. */
class HostileActivationTest {
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
        Path home = Archive.TAR_GZ.unpack(directory);
        etc = Etc.of(home, directory.resolve("etc"));
        etc.put("io.felice.network.cfg", "listeners", "PLAINTEXT://" + open + ",SASL_PLAINTEXT://" + closed);
        etc.put("io.felice.network.cfg", "sasl.enabled.mechanisms", "SCRAM-SHA-256,HOSTILE");
        node = Launcher.of(home, directory.resolve("data"))
                .listeningOn(Ports.free(), Ports.free())
                .with("FELICE_ETC", etc.toString());
        startAgain();
        node.run("exec", "felice:user-set alice secret");
    }

    private void startAgain() throws Exception {
        Result start = node.run("start");
        assertThat(start.output() + node.log()).contains("Felice");
    }

    @AfterEach
    void stop() throws Exception {
        node.run("stop");
    }

    @Test
    void aPluginThatThrowsWhenItIsActivatedHarmsNobody() throws Exception {
        harmsNobody(HostilePlugins.Throwing.class);
    }

    @Test
    void aPluginThatHangsWhenItIsActivatedHarmsNobody() throws Exception {
        harmsNobody(HostilePlugins.Hanging.class);
    }

    private void harmsNobody(Class<?> plugin) throws Exception {
        Path bundle = HostilePlugins.bundle(plugin, directory);
        node.spawn(directory.resolve("installed.out"), "exec", "bundle:install -s file:" + bundle);
        Eventually.await("the bundle", () -> node.run("exec", "bundle:list").output().contains(plugin.getSimpleName()));
        Thread.sleep(5000);
        check("after install");
        node.run("stop");
        startAgain();
        check("after restart");
    }

    private void check(String when) throws Exception {
        for (Map<String, Object> login : List.of(Map.<String, Object>of(), scram())) {
            try {
                write(login);
                System.out.println(when + ": OK " + login);
            } catch (Exception e) {
                System.out.println(when + ": " + e + login);
            }
        }
        System.out.println(node.run("status").output());
        System.out.println(node.log());
    }

    private Map<String, Object> scram() {
        return Map.of("security.protocol", "SASL_PLAINTEXT", "sasl.mechanism", "SCRAM-SHA-256", "bootstrap.servers", closed,
           "sasl.jaas.config",
                        "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"alice\" password=\"secret\";");
    }

    private void write(Map<String, Object> login) throws Exception {
        Map<String, Object> settings = new java.util.HashMap<>(Map.of("bootstrap.servers", open, "max.block.ms", 40000));
        settings.putAll(login);
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            producer.send(new ProducerRecord<>("orders", "an order")).get();
        }
    }
}
