package io.felice.plugins;

import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.TopicView;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.ConfigEntry;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.Configs;
import io.felice.api.config.PlacementRule;
import io.felice.api.config.TopicConfig;
import io.felice.api.plugin.ProvidedExtension;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/** The topics and settings of this node that name extensions. */
record NodeUse(
        Supplier<Optional<ClusterMetadata>> metadata, Supplier<Optional<Configs>> configs, ConfigurationAdmin admin)
        implements PluginUse {
    private static final int NAMED_TOPICS = 3;
    private static final String ENGINE = "storage engine";

    /**
     * A setting whose value names extensions: {@code NAME,NAME}, or {@code KEY:NAME+NAME,KEY:NAME}.
     *
     * @param kind of the extensions
     */
    private record Setting(String kind, String pid, String key) {
        private static final Pattern KEY = Pattern.compile("^[^:]*:");

        static Stream<String> names(Object value) {
            String[] items =
                    value instanceof String[] array ? array : value.toString().split(",");
            return Stream.of(items)
                    .map(item -> KEY.matcher(item).replaceFirst(""))
                    .flatMap(names -> Stream.of(names.split("\\+")))
                    .map(String::trim);
        }
    }

    private static final List<Setting> SETTINGS = List.of(
            new Setting("authenticator", "io.felice.network", "sasl.enabled.mechanisms"),
            new Setting("authenticator", "io.felice.network", "listener.sasl.mechanisms.map"),
            new Setting("principal mapping", "io.felice.network", "ssl.principal.mapping"),
            new Setting("credential store", "io.felice.security", "credential.store"),
            new Setting("authorizer", "io.felice.security", "authorizer"),
            new Setting("topic policy", "io.felice.controller", "topic.policies.required"),
            new Setting("wire protocol", "io.felice.network", "listener.wire.map"));

    @Override
    public List<String> of(List<ProvidedExtension> extensions) {
        List<String> users = new ArrayList<>();
        for (ProvidedExtension extension : extensions) {
            if (extension.kind().equals(ENGINE)) {
                users.addAll(usersOfEngine(extension.name()));
            }
            for (Setting setting : SETTINGS) {
                if (setting.kind().equals(extension.kind()) && names(setting, extension.name())) {
                    users.add("the setting " + setting.key() + " of etc/" + setting.pid() + ".cfg, which names the "
                            + extension);
                }
            }
        }
        return users;
    }

    private List<String> usersOfEngine(String engine) {
        Optional<ClusterMetadata> cluster = metadata.get();
        Optional<Configs> values = configs.get();
        if (cluster.isEmpty() || values.isEmpty()) {
            return List.of("perhaps topics: the broker does not run, so nobody can say which topics the storage engine "
                    + engine + " has");
        }
        return Stream.concat(
                        topicsOf(engine, cluster.get(), values.get()).stream(),
                        placementOf(engine, values.get()).stream())
                .toList();
    }

    private static List<String> placementOf(String engine, Configs values) {
        String placement = values.broker().get(BrokerConfig.STORAGE_PLACEMENT);
        boolean isNamed = PlacementRule.parse(placement).stream()
                .anyMatch(rule -> rule.engine().equals(engine));
        return isNamed
                ? List.of("the broker's config " + BrokerConfig.STORAGE_PLACEMENT + " = " + placement
                        + ", which places new topics in the storage engine " + engine)
                : List.of();
    }

    private static List<String> topicsOf(String engine, ClusterMetadata cluster, Configs values) {
        List<String> topics = cluster.view().topics().stream()
                .map(TopicView::name)
                .filter(topic -> isIn(values, topic, engine))
                .sorted()
                .toList();
        if (topics.isEmpty()) {
            return List.of();
        }
        String named = String.join(", ", topics.subList(0, Math.min(NAMED_TOPICS, topics.size())));
        int more = topics.size() - NAMED_TOPICS;
        return List.of((topics.size() == 1 ? "the topic " : "the topics ") + named
                + (more > 0 ? " and " + more + " more" : "") + ", kept by the storage engine " + engine);
    }

    private static boolean isIn(Configs values, String topic, String engine) {
        try {
            return values.describe(ConfigResource.topic(topic)).stream()
                    .filter(entry -> entry.key().name().equals(TopicConfig.STORAGE_ENGINE))
                    .map(ConfigEntry::value)
                    .anyMatch(value ->
                            Stream.of(value.split(",")).map(String::trim).anyMatch(engine::equals));
        } catch (RuntimeException deletedMeanwhile) {
            return false;
        }
    }

    private boolean names(Setting setting, String name) {
        try {
            Configuration[] found = admin.listConfigurations("(service.pid=" + setting.pid() + ")");
            if (found == null || found[0].getProperties() == null) {
                return false;
            }
            Dictionary<String, Object> properties = found[0].getProperties();
            Object value = properties.get(setting.key());
            return value != null && Setting.names(value).anyMatch(name::equals);
        } catch (IOException | InvalidSyntaxException | IllegalStateException unreadable) {
            return false;
        }
    }
}
