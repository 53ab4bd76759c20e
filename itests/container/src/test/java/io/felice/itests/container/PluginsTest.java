package io.felice.itests.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.container.Launcher.Result;
import io.felice.itests.rig.Ports;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An operator drops files into {@code plugins/} of a running node and reads what the node says about them. All tests use one
 * node, and each has plugins of its own. The other topics are served throughout.
 */
class PluginsTest {
    @TempDir
    static Path directory;

    private static PluginFiles files;
    private static Launcher node;
    private static Path home;
    private static Path plugins;
    private static String bootstrap;

    @BeforeAll
    static void start() throws Exception {
        bootstrap = "127.0.0.1:" + Ports.free();
        home = Archive.installation();
        Etc etc = Etc.of(home, directory.resolve("etc"));
        etc.put("io.felice.network.cfg", "listeners", "PLAINTEXT://" + bootstrap);
        etc.put("io.felice.plugins.cfg", "poll.ms", "200");
        etc.put("io.felice.plugins.cfg", "patience.ms", "4000");
        etc.put("io.felice.plugins.cfg", "stop.ms", "2000");
        node = Launcher.of(home, directory.resolve("data"))
                .listeningOn(Ports.free(), Ports.free())
                .with("FELICE_ETC", etc.toString());
        plugins = directory.resolve("data/plugins");
        files = new PluginFiles(directory);
        run("start");
    }

    @AfterAll
    static void stop() throws Exception {
        node.run("stop");
    }

    private static String run(String... command) throws Exception {
        Result result = node.run(command);
        assertThat(result.exitCode()).as(result.output() + node.log()).isZero();
        return result.output();
    }

    private static String exec(String line) throws Exception {
        Result result = node.exec(line);
        assertThat(result.exitCode()).as(result.output() + node.log()).isZero();
        return result.output();
    }

    private static String refusal(String command) throws Exception {
        Result result = node.exec(command);
        assertThat(result.exitCode()).as(result.output()).isNotZero();
        return result.output();
    }

    /** What felice:plugin-list says about a plugin: its row and the reason below the table; empty if it does not know it. */
    private static String listed(String plugin) throws Exception {
        return exec("felice:plugin-list")
                .lines()
                .filter(line -> line.startsWith(plugin + " "))
                .map(line -> line.replaceAll(" +", " "))
                .collect(Collectors.joining("\n"));
    }

    private static void drop(Path file, String name) throws Exception {
        PluginFiles.drop(file, plugins, name);
    }

    private static void awaitListed(String plugin, String words) throws Exception {
        Eventually.await(plugin + ": " + words + ", in " + exec("felice:plugin-list"), () -> listed(plugin)
                .contains(words));
    }

    private static void write(String topic) throws Exception {
        Map<String, Object> settings = Map.of("bootstrap.servers", bootstrap, "max.block.ms", 30_000);
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            producer.send(new ProducerRecord<>(topic, "a record")).get();
        }
    }

    @Test
    void aPluginComesGoesAndComesBackAndOneThatIsInUseStays() throws Exception {
        drop(files.engine(home, "engine-a", "1.0.0"), "engine-a.jar");
        awaitListed("engine-a", "engine-a | 1.0.0 | runs | storage engine engine-a");
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            NewTopic topic = new NewTopic("orders", 1, (short) 1).configs(Map.of("storage.engine", "engine-a"));
            admin.createTopics(List.of(topic)).all().get();
            write("orders");

            assertThat(refusal("felice:plugin-remove engine-a"))
                    .contains(
                            "The plugin engine-a cannot be removed: it is in use by the topic orders, kept by the storage"
                                    + " engine engine-a.");
            assertThat(refusal("felice:plugin-disable engine-a")).contains("cannot be disabled: it is in use by");
            Files.delete(plugins.resolve("engine-a.jar"));
            awaitListed(
                    "engine-a",
                    "runs (its file is gone from plugins/, and it stays because it is in use by the topic orders, kept by"
                            + " the storage engine engine-a. felice:plugin-rollback engine-a brings the file back)");
            Eventually.await(
                    "the file that is gone in the status",
                    () -> node.run("status").output().contains("The plugin engine-a runs (its file is gone"));
            assertThat(node.run("status").output()).contains("serves in part");
            exec("felice:plugin-rollback engine-a");
            assertThat(plugins.resolve("engine-a.jar")).exists();
            write("orders");

            admin.deleteTopics(List.of("orders")).all().get();
        }
        exec("felice:plugin-remove engine-a");
        assertThat(listed("engine-a")).isEmpty();
        assertThat(plugins.resolve("engine-a.jar")).doesNotExist();
        assertThat(exec("felice:plugin-rollback engine-a")).contains("engine-a 1.0.0 runs.");
        exec("felice:plugin-remove engine-a");
    }

    @Test
    void filesThatDoNotFitAreLeftOutAndTheReasonIsSaid() throws Exception {
        drop(files.importing("missing", "1.0.0", "com.google.common.collect;version=\"[33,34)\""), "missing.jar");
        drop(files.importing("future", "1.0.0", "io.felice.api.security;version=\"[2,3)\""), "future.jar");
        drop(files.withTheApiInside("fat", "1.0.0"), "fat.jar");
        drop(files.store("known", "1.0.0", PluginFiles.Good.class), "known.jar");
        awaitListed("known", "runs");
        drop(files.store("known", "1.1.0", PluginFiles.Good.class), "known-1.1.0.jar");

        awaitListed(
                "missing",
                "left out: It needs the package com.google.common.collect, which no bundle of this node exports; the library"
                        + " com.google.guava:guava has it. Put the library into the plugin's jar, or make an archive of the"
                        + " plugin and its libraries.");
        awaitListed(
                "future",
                "left out: It was built for another version of Felice's API: it wants io.felice.api.security"
                        + " [2.0.0,3.0.0), and this node has 1.");
        awaitListed("fat", "left out: It carries its own copy of Felice's API (1 classes)");
        Eventually.await("the second file", () -> exec("felice:plugin-list")
                .contains(
                        "left out: It is a second file of the plugin known, which is in known.jar (1.0.0). To upgrade:"
                                + " felice:plugin-upgrade known "));
        assertThat(listed("known")).contains("runs");
        assertThat(node.run("status").output()).contains("The plugin missing (missing.jar) is left out: It needs");
        assertThat(refusal("felice:plugin-check " + plugins.resolve("future.jar")))
                .contains("does not fit this node");
        assertThat(refusal("felice:plugin-install " + files.store("felice-x", "1.0.0", PluginFiles.Good.class) + "x"))
                .contains("There is no file");
        write("others");

        for (String name : List.of("missing", "future", "fat", "known")) {
            exec("felice:plugin-remove " + name);
        }
        awaitListed("known", "known | 1.1.0 | runs");
        exec("felice:plugin-remove known");
        for (String name : List.of("missing", "future", "fat", "known")) {
            assertThat(listed(name)).isEmpty();
        }
    }

    @Test
    void aPluginThatThrowsSaysSoAndABadUpgradeIsTakenBack() throws Exception {
        drop(files.store("throwing", "1.0.0", PluginFiles.Throwing.class), "throwing.jar");
        awaitListed(
                "throwing",
                "fails: its component throwing throws when it is activated: java.lang.IllegalStateException: the vault is"
                        + " closed");
        exec("felice:plugin-remove throwing");
        exec("felice:plugin-install " + files.store("vault", "1.0.0", PluginFiles.Good.class));

        String answer =
                refusal("felice:plugin-upgrade vault " + files.store("vault", "1.1.0", PluginFiles.Throwing.class));
        assertThat(answer)
                .contains(
                        "vault 1.0.0 runs (vault 1.1.0 was taken back: its component vault throws when it is activated:"
                                + " java.lang.IllegalStateException: the vault is closed)");
        assertThat(listed("vault"))
                .contains("vault | 1.0.0 | runs", "vault (vault.jar) runs (vault 1.1.0 was taken back");

        assertThat(exec("felice:plugin-upgrade vault " + files.store("vault", "1.2.0", PluginFiles.Good.class)))
                .contains("vault 1.2.0 runs.");
        assertThat(exec("felice:plugin-rollback vault")).contains("vault 1.0.0 runs.");
        exec("felice:plugin-remove vault");
        write("others");
    }

    @Test
    void aNodeWithAPluginThatHangsServesStopsAndStartsAgain() throws Exception {
        drop(files.hanging("hanging", "1.0.0"), "hanging.jar");
        awaitListed(
                "hanging",
                "left out: its start hangs: after 4 s the bundle hanging 1.0.0 has not come back from its start (thread"
                        + " felice-plugin-start-hanging, at io.felice.itests.container.PluginFiles$Hanging.start(");
        drop(files.store("removed", "1.0.0", PluginFiles.Good.class), "removed.jar");
        drop(files.store("resting", "1.0.0", PluginFiles.Good.class), "resting.jar");
        awaitListed("removed", "runs");
        awaitListed("resting", "runs");
        assertThat(exec("felice:plugin-disable resting")).contains("resting 1.0.0 is disabled.");
        write("others");

        run("stop");
        assertThat(node.log())
                .contains(
                        "The node ends without waiting for hanging 1.0.0, whose start hangs. The other bundles of Felice"
                                + " have stopped, and all logs are settled");
        Files.delete(plugins.resolve("removed.jar"));
        run("start");

        awaitListed("hanging", "left out: its start hangs");
        awaitListed("resting", "disabled");
        assertThat(listed("removed")).isEmpty();
        assertThat(node.log()).contains("The plugin removed is not in " + plugins + " any more, and is gone");
        write("others");
        exec("felice:plugin-enable resting");
        awaitListed("resting", "runs");
    }
}
