package io.felice.itests.container;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.itests.container.Launcher.Result;
import io.felice.itests.rig.Ports;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the archetype makes passes its contract and works in a node. Whoever does what the READMEs of the example plugins say
 * has a node that asks them. All of them are built outside of the repository, and dropped into a running node. Clients of
 * the listener without SASL are a super user, so that no plugin is asked about them.
 */
class ExamplePluginsTest {
    private static final List<String> TYPES =
            List.of("storage", "authenticator", "authorizer", "wire", "listener", "policy");
    private static final String STORAGE = "acme-storage";
    private static final String WIRE = "acme-wire";
    private static final String LISTENER = "acme-listener";
    private static final String POLICY = "acme-policy";
    private static final String STORE = "felice-authenticator-passwords";
    private static final String AUTHORIZER = "felice-authorizer-rules";
    private static final String ALICE = "the password of alice";
    private static final int WAIT_MS = 4_000;
    private static final long COMMAND_SECONDS = 120;

    @TempDir
    static Path directory;

    private static PluginProjects projects;
    private static Etc etc;
    private static Launcher node;
    private static Insides insides;
    private static String open;
    private static String closed;
    private static int lines;

    @BeforeAll
    static void followTheGuides() throws Exception {
        open = "127.0.0.1:" + Ports.free();
        closed = "127.0.0.1:" + Ports.free();
        lines = Ports.free();
        Path home = Archive.installation();
        etc = Etc.of(home, directory.resolve("etc"));
        etc.put(
                "io.felice.network.cfg",
                "listeners",
                "PLAINTEXT://" + open + ",SASL_PLAINTEXT://" + closed + ",LINES://127.0.0.1:" + lines);
        etc.put("io.felice.network.cfg", "listener.wire.map", "LINES:" + WIRE);
        etc.put("io.felice.network.cfg", "sasl.enabled.mechanisms", "PLAIN");
        etc.put("io.felice.security.cfg", "super.users", "User:ANONYMOUS");
        etc.put("io.felice.security.cfg", "authorizer.wait.ms", Integer.toString(WAIT_MS));
        etc.put("io.felice.security.cfg", "authorizer.cache.ms", "1000");
        node = Launcher.of(home, directory.resolve("data"))
                .listeningOn(Ports.free(), Ports.free())
                .with("FELICE_ETC", etc.toString());
        insides = new Insides(node);
        CompletableFuture<Result> start = CompletableFuture.supplyAsync(ExamplePluginsTest::start);

        projects = PluginProjects.in(directory);
        TYPES.parallelStream().forEach(projects::generate);
        List<Path> examples = List.of(projects.copy("authenticator-passwords"), projects.copy("authorizer-rules"));
        projects.verify();

        assertThat(start.join().exitCode())
                .as(start.join().output() + node.log())
                .isZero();
        for (Path example : examples) {
            follow(new Guide(node, etc, example));
        }
        drop(projects.jar("acme-storage"), STORAGE);
        Eventually.await("the rules of alice", () -> produce("orders", "first").exitCode() == 0);
    }

    private static Result start() {
        try {
            return node.run("start");
        } catch (IOException | InterruptedException failure) {
            throw new IllegalStateException(failure);
        }
    }

    /** Does what the README says, but for the build, which is done. */
    private static void follow(Guide guide) throws Exception {
        for (Guide.Block block : Guide.blocks(Files.readString(guide.directory().resolve("README.md")))) {
            if (block.isTyped() && !block.text().startsWith("mvn ")) {
                guide.type(block.text());
            } else if (block.isSettings()) {
                guide.write(block);
            }
        }
    }

    private static void drop(Path jar, String plugin) throws IOException {
        Path draft = Files.copy(jar, plugins().resolve("." + plugin), StandardCopyOption.REPLACE_EXISTING);
        Files.move(draft, plugins().resolve(plugin + ".jar"), StandardCopyOption.ATOMIC_MOVE);
    }

    private static Path plugins() {
        return node.data().resolve("plugins");
    }

    /** The list has the versions in a table, and sentences below it. */
    private static void awaitPlugin(String plugin, String version, String words) throws Exception {
        Eventually.await(plugin + " " + version + " " + words, () -> {
            List<String> about = insides.shell("felice:plugin-list")
                    .lines()
                    .filter(line -> line.contains(plugin))
                    .toList();
            return about.stream().anyMatch(line -> line.contains(version))
                    && about.stream().anyMatch(line -> line.contains(words));
        });
    }

    @AfterAll
    static void stop() throws Exception {
        node.run("stop");
        projects.close();
    }

    @Test
    void theRightPasswordGetsInAndAWrongOneDoesNot() throws Exception {
        assertThat(list(ALICE).output()).contains("topic \"orders\"");
        for (String wrong : List.of("wrong", ALICE + " ", "the password of")) {
            Result refused = listInVain(wrong);
            assertThat(refused.exitCode()).as(refused.output()).isNotZero();
            assertThat(refused.output()).contains("Invalid username or password");
        }
        assertThat(node.log()).doesNotContain(ALICE);
    }

    @Test
    void theRulesDecide() throws Exception {
        assertThat(produce("orders-eu", "an order")).isEqualTo(new Result(0, ""));
        assertThat(consume("orders-eu").output()).contains("an order");
        assertRefused(produce("orders-secret", "a secret"));
        assertRefused(produce("bills", "a bill"));
        assertThat(kcat(open, "", "-L").output()).doesNotContain("\"bills\"", "\"orders-secret\"");
    }

    @Test
    void aChangedRuleTakesEffect() throws Exception {
        String rules = Files.readString(rules());
        assertRefused(produce("payments", "too early"));

        replace(rules(), rules + "allow User:alice all topic payments\n");
        Eventually.await("the new right", () -> produce("payments", "in time").exitCode() == 0);

        replace(rules(), rules);
        Eventually.await(
                "the end of the right", () -> produce("payments", "too late").exitCode() != 0);
        assertThat(kcat(open, "", "-C", "-t", "payments", "-o", "beginning", "-e")
                        .output())
                .contains("in time")
                .doesNotContain("too early");

        replace(rules(), rules + "nonsense\n");
        Eventually.await(
                "the end of all rights", () -> produce("orders", "too late").exitCode() != 0);
        assertThat(node.log()).contains("line 4 is wrong");

        replace(rules(), rules);
        Eventually.await("the old rights", () -> produce("orders", "again").exitCode() == 0);
    }

    @Test
    void whileTheAuthorizerIsStoppedRequestsWaitAndAreRefusedThenAndOthersAreNotSlowed() throws Exception {
        try (Traffic neighbours = new Traffic(open, "neighbours-of-rules", "log")) {
            insides.shell("bundle:stop " + AUTHORIZER);
            neighbours.takeLongestTimes();
            long begin = System.nanoTime();
            assertRefused(produce("orders", "nobody decides"));
            long refusedAfter = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
            assertThat(refusedAfter).isGreaterThanOrEqualTo(WAIT_MS);
            assertThat(neighbours.takeLongestTimes().writtenMs()).isLessThan(refusedAfter);
            Eventually.await(
                    "the authorizer rules", () -> node.run("status").output().contains("the authorizer rules"));

            neighbours.awaitProgress();
            assertThat(neighbours.failures()).isEmpty();
            insides.shell("bundle:start " + AUTHORIZER);
            assertThat(produce("orders", "somebody decides").exitCode()).isZero();
            assertThat(consume("orders").output()).contains("somebody").doesNotContain("nobody");
            assertThat(neighbours.failures()).isEmpty();
        }
    }

    @Test
    void whileTheStoreIsStoppedNobodyLogsInAndWhoHasLoggedInGoesOn() throws Exception {
        try (Traffic neighbours = new Traffic(open, "neighbours-of-passwords", "log");
                KafkaProducer<String, String> before = producer()) {
            before.send(new ProducerRecord<>("orders", "before")).get();
            insides.shell("bundle:stop " + STORE);

            assertThat(listInVain(ALICE).exitCode()).isNotZero();
            before.send(new ProducerRecord<>("orders", "meanwhile")).get();
            Eventually.await(
                    "the credential store file",
                    () -> node.run("status").output().contains("the credential store file"));
            neighbours.awaitProgress();

            insides.shell("bundle:start " + STORE);
            assertThat(list(ALICE).exitCode()).isZero();
            before.send(new ProducerRecord<>("orders", "after")).get();
            assertThat(neighbours.failures()).isEmpty();
        }
    }

    @Test
    void aStoreIsRemovedWhenNoSettingNamesItAndComesBack() throws Exception {
        Files.delete(plugins().resolve(STORE + ".jar"));
        awaitPlugin(STORE, "", "in use by");
        assertThat(list(ALICE).exitCode()).isZero();

        etc.put("io.felice.security.cfg", "credential.store", "felice");
        Eventually.await("the end of the store", () -> !insides.shell("felice:plugin-list")
                .contains(STORE));
        assertThat(listInVain(ALICE).exitCode()).isNotZero();

        etc.put("io.felice.security.cfg", "credential.store", "file");
        drop(projects.jar(STORE), STORE);
        Eventually.await("the store", () -> list(ALICE).exitCode() == 0);
    }

    @Test
    void anUpgradeOfThePluginsLosesNothing() throws Exception {
        Queue<String> failures = new ConcurrentLinkedQueue<>();
        AtomicInteger sent = new AtomicInteger();
        AtomicBoolean ends = new AtomicBoolean();
        Thread writer = new Thread(() -> write(sent, ends, failures), "writer");
        Thread newcomers = new Thread(() -> writeAsNewcomers(sent, ends, failures), "newcomers");
        writer.start();
        newcomers.start();
        for (String plugin : List.of(STORE, AUTHORIZER)) {
            int before = sent.get();
            drop(projects.withVersion(plugins().resolve(plugin + ".jar"), "1.1.0"), plugin);
            awaitPlugin(plugin, "1.1.0", "runs");
            Eventually.await("writing after the upgrade of " + plugin, () -> sent.get() > before + 100);
        }
        ends.set(true);
        writer.join();
        newcomers.join();
        assertThat(failures).isEmpty();
        assertThat(consume("orders-updated").output().lines().filter(line -> line.startsWith("record")))
                .hasSize(sent.get());
    }

    @Test
    void anEngineIsDroppedInUsedUpgradedAndRemovedWhenNothingIsInIt() throws Exception {
        awaitPlugin(STORAGE, "1.0.0", "runs");
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", open));
                Traffic traffic = new Traffic(open, "in-files", "files")) {
            drop(projects.withVersion(projects.jar(STORAGE), "1.1.0"), STORAGE);
            awaitPlugin(STORAGE, "1.1.0", "runs");
            traffic.awaitProgress();
            assertThat(traffic.failures()).isEmpty();

            Files.delete(plugins().resolve(STORAGE + ".jar"));
            awaitPlugin(STORAGE, "1.1.0", "in use by the topic in-files");
            traffic.awaitProgress();
            traffic.finish();
            assertThat(traffic.failures()).isEmpty();
            admin.deleteTopics(List.of("in-files")).all().get();
        }
        Eventually.await("the end of the engine", () -> !insides.shell("felice:plugin-list")
                .contains(STORAGE));
        assertThat(node.data().resolve("plugins-data").resolve(STORAGE)).isDirectory();
    }

    @Test
    void aWireAnswersOnItsListenerAndStaysWhileASettingNamesIt() throws Exception {
        drop(projects.jar(WIRE), WIRE);

        Eventually.await("an answer of the wire", () -> echo("a line").equals("a line"));
        assertThat(insides.table("network.wires"))
                .anySatisfy(row -> assertThat(row.values()).contains("LINES", WIRE));
        assertThat(refusal("felice:plugin-remove " + WIRE))
                .contains("it is in use by the setting listener.wire.map of etc/io.felice.network.cfg, which names the"
                        + " wire protocol acme-wire.");
    }

    private static String echo(String line) {
        try (Socket client = new Socket("127.0.0.1", lines)) {
            client.setSoTimeout(WAIT_MS);
            client.getOutputStream().write((line + "\n").getBytes(UTF_8));
            return new BufferedReader(new InputStreamReader(client.getInputStream(), UTF_8)).readLine();
        } catch (IOException notOpen) {
            return notOpen.toString();
        }
    }

    private static String refusal(String command) throws Exception {
        Result result = node.exec(command);
        assertThat(result.exitCode()).as(result.output()).isNotZero();
        return result.output();
    }

    @Test
    void aListenerReceivesTheRecordsOfItsTopicAndCanBeRemoved() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", open))) {
            admin.createTopics(
                            List.of(new NewTopic("amounts", 1, (short) 1), new NewTopic("amounts.dead", 1, (short) 1)))
                    .all()
                    .get();
        }
        drop(projects.jar(LISTENER), LISTENER);
        awaitPlugin(LISTENER, "1.0.0", "runs");

        assertThat(kcat(open, "5\n7\nno amount\n", "-P", "-t", "amounts").exitCode())
                .isZero();

        Eventually.await("the sum of the listener", () -> insides.table("example.amounts").stream()
                .anyMatch(row -> row.values().containsAll(List.of("sum", "12"))));
        Eventually.await(
                "the dead letter", () -> kcat(open, "", "-C", "-t", "amounts.dead", "-o", "beginning", "-e", "-q")
                        .output()
                        .contains("no amount"));
        insides.shell("felice:plugin-remove " + LISTENER);
        assertThat(insides.shell("felice:plugin-list")).doesNotContain(LISTENER);
    }

    @Test
    void aPolicyRefusesTopicsAndStaysWhileItIsRequired() throws Exception {
        drop(projects.jar(POLICY), POLICY);
        awaitPlugin(POLICY, "1.0.0", "runs");
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", open))) {
            assertThatThrownBy(() -> create(admin, "Not.Agreed"))
                    .hasCauseInstanceOf(PolicyViolationException.class)
                    .hasMessageContaining("The name of a topic has to match");
            create(admin, "agreed");

            etc.put("io.felice.controller.cfg", "topic.policies.required", "topics");
            Eventually.await(
                    "the required policy", () -> insides.shell("config:list \"(service.pid=io.felice.controller)\"")
                            .contains("topic.policies.required = topics"));
            assertThat(refusal("felice:plugin-remove " + POLICY))
                    .contains(
                            "it is in use by the setting topic.policies.required of etc/io.felice.controller.cfg, which"
                                    + " names the topic policy topics.");
            etc.put("io.felice.controller.cfg", "topic.policies.required", "");
            Eventually.await(
                    "the end of the policy",
                    () -> node.exec("felice:plugin-remove " + POLICY).exitCode() == 0);
            create(admin, "Not.Agreed");
        }
    }

    private static void create(Admin admin, String topic) throws Exception {
        admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get();
    }

    private static void write(AtomicInteger sent, AtomicBoolean ends, Queue<String> failures) {
        try (KafkaProducer<String, String> producer = producer()) {
            while (!ends.get()) {
                producer.send(new ProducerRecord<>("orders-updated", "record")).get();
                sent.incrementAndGet();
            }
        } catch (Exception failure) {
            failures.add("writer: " + failure);
        }
    }

    private static void writeAsNewcomers(AtomicInteger sent, AtomicBoolean ends, Queue<String> failures) {
        while (!ends.get()) {
            try (KafkaProducer<String, String> producer = producer()) {
                producer.send(new ProducerRecord<>("orders-updated", "record of a newcomer"))
                        .get();
                sent.incrementAndGet();
            } catch (Exception failure) {
                failures.add("newcomer: " + failure);
            }
        }
    }

    private static KafkaProducer<String, String> producer() {
        return new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers",
                        closed,
                        "security.protocol",
                        "SASL_PLAINTEXT",
                        "sasl.mechanism",
                        "PLAIN",
                        "sasl.jaas.config",
                        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"alice\" password=\""
                                + ALICE + "\";"),
                new StringSerializer(),
                new StringSerializer());
    }

    private static Path rules() {
        return node.data().resolve("rules");
    }

    private static void replace(Path file, String text) throws IOException {
        Path written = Files.writeString(file.resolveSibling("new-" + file.getFileName()), text);
        Files.move(written, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private static Result list(String password) throws Exception {
        return asAlice(password, "", "-L", "-m", "20");
    }

    /** Clients do not take a refused login for final, so kcat ends when its time is over. */
    private static Result listInVain(String password) throws Exception {
        return asAlice(password, "", "-L", "-m", "3");
    }

    private static Result produce(String topic, String value) throws Exception {
        return asAlice(ALICE, value, "-P", "-t", topic, "-X", "message.timeout.ms=30000");
    }

    private static Result consume(String topic) throws Exception {
        return asAlice(ALICE, "", "-C", "-t", topic, "-o", "beginning", "-e", "-q");
    }

    private static void assertRefused(Result result) {
        assertThat(result.exitCode()).as(result.output()).isNotZero();
        assertThat(result.output()).containsIgnoringCase("authorization failed");
    }

    private static Result asAlice(String password, String input, String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of(
                "-X",
                "security.protocol=SASL_PLAINTEXT",
                "-X",
                "sasl.mechanisms=PLAIN",
                "-X",
                "sasl.username=alice",
                "-X",
                "sasl.password=" + password));
        all.addAll(List.of(arguments));
        return kcat(closed, input, all.toArray(String[]::new));
    }

    private static Result kcat(String bootstrap, String input, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("kcat", "-b", bootstrap));
        command.addAll(List.of(arguments));
        Path in = Files.writeString(Files.createTempFile(directory, "kcat", ".in"), input);
        Path out = Files.createTempFile(directory, "kcat", ".out");
        Process kcat = new ProcessBuilder(command)
                .redirectInput(in.toFile())
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        if (!kcat.waitFor(COMMAND_SECONDS, TimeUnit.SECONDS)) {
            kcat.destroyForcibly().waitFor();
            throw new IllegalStateException(command + " does not end; it printed: " + Files.readString(out));
        }
        return new Result(kcat.exitValue(), Files.readString(out, UTF_8));
    }
}
