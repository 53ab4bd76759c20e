package io.felice.plugins;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.ConfigEntry;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.Configs;
import io.felice.api.config.TopicConfig;
import io.felice.api.plugin.ProvidedExtension;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.service.cm.ConfigurationAdmin;

/** What settings and topics name is in use; an extension that merely runs is not. */
class NodeUseTest {
    @TempDir
    static Path directory;

    private static PluginNode node;

    private final Map<String, String> topics = new HashMap<>();
    private String placement = "*:log";
    private boolean isRunning = true;

    @BeforeAll
    static void start() throws Exception {
        node = new PluginNode(directory.resolve("data")).start();
    }

    @AfterAll
    static void stop() throws Exception {
        node.stop();
    }

    @BeforeEach
    void forgetSettings() throws Exception {
        for (String pid : List.of("io.felice.network", "io.felice.security", "io.felice.controller")) {
            set(pid, Map.of());
        }
    }

    private static void set(String pid, Map<String, Object> settings) throws Exception {
        Dictionary<String, Object> properties = new Hashtable<>(settings);
        node.service(ConfigurationAdmin.class).getConfiguration(pid, "?").update(properties);
    }

    private List<String> usersOf(String kind, String name) {
        NodeUse use = new NodeUse(
                () -> Optional.of(metadata()).filter(unused -> isRunning),
                () -> Optional.of(configs()).filter(unused -> isRunning),
                node.service(ConfigurationAdmin.class));
        return use.of(List.of(new ProvidedExtension(kind, name)));
    }

    private ClusterMetadata metadata() {
        ClusterView view = ClusterView.EMPTY.after(
                1,
                topics.keySet().stream()
                        .<MetadataRecord>map(topic ->
                                new MetadataRecord.TopicCreated(UUID.nameUUIDFromBytes(topic.getBytes()), topic))
                        .toList());
        return answering(ClusterMetadata.class, Map.of("view", arguments -> view));
    }

    private Configs configs() {
        return answering(
                Configs.class,
                Map.of(
                        "broker", arguments -> BrokerConfig.with(Map.of(BrokerConfig.STORAGE_PLACEMENT, placement)),
                        "describe", arguments -> engineOf(((ConfigResource) arguments[0]).name())));
    }

    private List<ConfigEntry> engineOf(String topic) {
        return List.of(new ConfigEntry(
                TopicConfig.KEYS.get(TopicConfig.STORAGE_ENGINE),
                topics.get(topic),
                ConfigEntry.Source.DYNAMIC_TOPIC,
                List.of()));
    }

    private interface Answer {
        Object to(Object[] arguments);
    }

    private static <T> T answering(Class<T> type, Map<String, Answer> answers) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, arguments) -> answers.get(method.getName()).to(arguments)));
    }

    @Test
    void aListenerOfAWireUsesIt() throws Exception {
        set("io.felice.network", Map.of("listener.wire.map", "MQTT:mqtt, FEED : lines"));

        assertThat(usersOf("wire protocol", "lines"))
                .containsExactly("the setting listener.wire.map of etc/io.felice.network.cfg, which names the"
                        + " wire protocol lines");
        assertThat(usersOf("wire protocol", "mqtt")).hasSize(1);
        assertThat(usersOf("wire protocol", "FEED")).isEmpty();
    }

    @Test
    void aPolicyIsInUseIfItIsRequired() throws Exception {
        set("io.felice.controller", Map.of("topic.policies.required", new String[] {"names", "sizes"}));

        assertThat(usersOf("topic policy", "sizes"))
                .containsExactly("the setting topic.policies.required of etc/io.felice.controller.cfg, which names the"
                        + " topic policy sizes");
        assertThat(usersOf("topic policy", "others")).isEmpty();
        assertThat(usersOf("record listener", "names")).isEmpty();
    }

    @Test
    void aMechanismOfOneListenerIsInUse() throws Exception {
        set(
                "io.felice.network",
                Map.of("sasl.enabled.mechanisms", "PLAIN", "listener.sasl.mechanisms.map", "OUTSIDE:TOKEN+PLAIN"));

        assertThat(usersOf("authenticator", "TOKEN"))
                .containsExactly("the setting listener.sasl.mechanisms.map of etc/io.felice.network.cfg, which names"
                        + " the authenticator TOKEN");
        assertThat(usersOf("authenticator", "PLAIN")).hasSize(2);
    }

    @Test
    void topicsAndThePlacementOfNewTopicsUseAnEngine() {
        topics.putAll(Map.of("a", "files", "b", "log", "c", "files", "d", "files", "e", "files"));
        placement = "audit-*:files,*:log";

        assertThat(usersOf("storage engine", "files"))
                .containsExactly(
                        "the topics a, c, d and 1 more, kept by the storage engine files",
                        "the broker's config storage.placement = audit-*:files,*:log, which places new topics in the"
                                + " storage engine files");
        assertThat(usersOf("storage engine", "other")).isEmpty();
    }

    @Test
    void withoutABrokerAnEngineMayHaveTopics() {
        isRunning = false;

        assertThat(usersOf("storage engine", "files")).singleElement().satisfies(user -> assertThat(user)
                .startsWith("perhaps topics: the broker does not run"));
    }
}
