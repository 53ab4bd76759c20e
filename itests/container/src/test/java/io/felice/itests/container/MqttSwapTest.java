package io.felice.itests.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.container.Launcher.Result;
import io.felice.itests.rig.Ports;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The bundle with MQTT is removed, installed and updated under the load of Kafka clients, which notice nothing. A session
 * of an MQTT client survives it, with every message that was acknowledged.
 */
class MqttSwapTest {
    private static final String BUNDLE = "io.felice.wire.mqtt";
    private static final int UPDATES = 2;

    @TempDir
    static Path directory;

    private static Launcher node;
    private static Insides insides;
    private static String bootstrap;
    private static int mqtt;

    @BeforeAll
    static void start() throws Exception {
        int port = Ports.free();
        bootstrap = "127.0.0.1:" + port;
        mqtt = Ports.free();
        Path home = Archive.installation();
        Etc etc = Etc.of(home, directory.resolve("etc"));
        etc.put("io.felice.network.cfg", "listeners", "PLAINTEXT://" + bootstrap + ",MQTT://127.0.0.1:" + mqtt);
        etc.put("io.felice.network.cfg", "listener.wire.map", "MQTT:mqtt");
        node = Launcher.of(home, directory.resolve("data"))
                .listeningOn(port, Ports.free())
                .with("FELICE_ETC", etc.toString());
        insides = new Insides(node);
        Result start = node.run("start");
        assertThat(start.exitCode()).as(start.output() + node.log()).isZero();
    }

    @AfterAll
    static void stop() throws Exception {
        Result stop = node.run("stop");
        assertThat(stop).as(node.log()).isEqualTo(new Result(0, "Felice stopped.\n"));
    }

    @Test
    void kafkaClientsNoticeNothingWhileMqttIsUpdatedRemovedAndInstalled() throws Exception {
        List<String> acknowledged = new ArrayList<>();
        subscribe();
        try (Traffics traffics = Traffics.on(bootstrap, "beside-mqtt", List.of("log"))) {
            acknowledged.add(publish("before"));
            for (int update = 0; update < UPDATES; update++) {
                insides.shell("bundle:update -r " + BUNDLE);
                acknowledged.add(publish("after update " + update));
                traffics.awaitProgress();
            }

            String location = location();
            insides.shell("bundle:uninstall " + BUNDLE);
            Eventually.await("the listener is closed", () -> !isPublished("refused"));
            assertThat(insides.shell("felice:status health")).contains("no plugin provides the wire mqtt");
            traffics.awaitProgress();

            insides.shell("bundle:install -s " + location);
            acknowledged.add(publish("after installation"));
            traffics.awaitProgress();

            assertThat(traffics.closedConnections())
                    .as("connections that Kafka clients lost")
                    .isZero();
            traffics.finish();
            assertThat(traffics.failures()).isEmpty();
        }
        assertThat(received()).containsAll(acknowledged).doesNotContain("refused");
        assertThat(insides.classLoaders(List.of(BUNDLE))).isEqualTo(Map.of(BUNDLE, 1));
        assertThat(node.log()).doesNotContain(" ERROR ");
    }

    private static String location() throws Exception {
        String headers = insides.shell("bundle:list -l -t 0 | grep " + BUNDLE);
        return headers.substring(headers.lastIndexOf('|') + 1).trim();
    }

    /** Makes a session that is kept. */
    private static void subscribe() throws Exception {
        Eventually.await(
                "it is subscribed", () -> run("mosquitto_sub", "-E", "-c", "-i", "keeper", "-q", "1", "-t", "swap/#")
                        .isEmpty());
    }

    /** What the session gets in some seconds. */
    private static List<String> received() throws Exception {
        Process process = new ProcessBuilder(
                        command("mosquitto_sub", "-W", "4", "-c", "-i", "keeper", "-q", "1", "-t", "swap/#"))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList();
    }

    private static String publish(String message) throws Exception {
        Eventually.await(message + " is published", () -> isPublished(message));
        return message;
    }

    private static boolean isPublished(String message) throws Exception {
        return run("mosquitto_pub", "-q", "1", "-t", "swap/a", "-m", message).isEmpty();
    }

    /** Runs a program. @return what it prints if it fails; else nothing */
    private static String run(String program, String... arguments) throws Exception {
        Process process = new ProcessBuilder(command(program, arguments))
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        return process.exitValue() == 0 ? "" : process.exitValue() + output;
    }

    private static List<String> command(String program, String... arguments) {
        List<String> command = new ArrayList<>(List.of(program, "-h", "127.0.0.1", "-p", "" + mqtt));
        command.addAll(List.of(arguments));
        return command;
    }
}
