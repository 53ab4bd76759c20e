package io.felice.broker;

import static io.felice.api.ErrorCode.INVALID_CONFIG;
import static io.felice.api.ErrorCode.INVALID_REQUEST;
import static io.felice.api.ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
import static io.felice.api.config.ConfigEntry.Source.DEFAULT;
import static io.felice.api.config.ConfigEntry.Source.DYNAMIC_BROKER;
import static io.felice.api.config.ConfigEntry.Source.DYNAMIC_DEFAULT_BROKER;
import static io.felice.api.config.ConfigEntry.Source.DYNAMIC_TOPIC;
import static io.felice.api.config.ConfigEntry.Source.STATIC_BROKER;
import static io.felice.api.storage.EngineTrait.SURVIVES_KILL;

import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.Endpoints;
import io.felice.api.cluster.TopicView;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.ConfigEntry;
import io.felice.api.config.ConfigEntry.Synonym;
import io.felice.api.config.ConfigKey;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.Configs;
import io.felice.api.config.StoragePromise;
import io.felice.api.config.TopicConfig;
import io.felice.api.storage.EngineTrait;
import io.felice.broker.engine.Engines;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.partition.Durability;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The effective configuration of this node. A value in the cluster's metadata overrides the configuration file, and the
 * file overrides the default. Any thread may read; one thread passes new views and files.
 */
final class NodeConfigs implements Configs {
    private static final List<String> OF_ENGINES = List.of(
            TopicConfig.STORAGE_ENGINE,
            TopicConfig.STORAGE_DURABILITY,
            TopicConfig.FLUSH_MESSAGES,
            TopicConfig.CLEANUP_POLICY);
    /** The broker's keys whose values an engine may not be able to keep. */
    private static final List<String> OF_ENGINES_BY_DEFAULT = List.of(
            TopicConfig.KEYS.get(TopicConfig.FLUSH_MESSAGES).brokerKey(),
            TopicConfig.KEYS.get(TopicConfig.CLEANUP_POLICY).brokerKey());

    private final int brokerId;
    private final Engines engines;
    private final Function<TopicView, Stream<String>> enginesWithLogs;

    private volatile Layers layers;
    /** Null while the network has no open listeners. */
    private volatile Endpoints endpoints;

    /**
     * @param file broker keys of the configuration file
     * @param enginesWithLogs the engines of the logs that this node has of a topic
     * @throws io.felice.api.FeliceException INVALID_CONFIG if a value in {@code file} is illegal
     */
    NodeConfigs(
            int brokerId,
            Map<String, String> file,
            Engines engines,
            Function<TopicView, Stream<String>> enginesWithLogs) {
        this.brokerId = brokerId;
        this.engines = engines;
        this.enginesWithLogs = enginesWithLogs;
        this.layers = new Layers(ClusterView.EMPTY, Map.of(), Map.of(), checked(file));
    }

    private static Map<String, String> checked(Map<String, String> file) {
        file.forEach((key, value) -> BrokerConfig.KEYS.get(key).check(value));
        return Map.copyOf(file);
    }

    /** The broker keys among a component's properties, as text. */
    static Map<String, String> fileLayer(Map<String, Object> properties) {
        Map<String, String> file = new HashMap<>();
        BrokerConfig.KEYS.keySet().forEach(key -> {
            Object value = properties.get(key);
            if (value instanceof String[] several) {
                file.put(key, String.join(",", several));
            } else if (value != null) {
                file.put(key, value.toString().trim());
            }
        });
        return file;
    }

    /**
     * From now on {@link #describe} shows the settings of the network, and the network gets the values that the cluster
     * has for them.
     */
    synchronized void bindEndpoints(Endpoints news) {
        endpoints = news;
        news.override(layers.network);
    }

    /** Does nothing if other endpoints have replaced {@code gone}. */
    synchronized void unbindEndpoints(Endpoints gone) {
        if (endpoints == gone) {
            endpoints = null;
        }
    }

    /** The values of each layer at one view of the cluster. */
    private static final class Layers {
        private final ClusterView view;
        private final Map<String, String> own;
        private final Map<String, String> all;
        private final Map<String, String> file;
        private final BrokerConfig broker;
        private final Map<String, String> topicDefaults = new TreeMap<>();
        /** What the cluster's metadata has for settings of the network. */
        private final Map<String, String> network = new HashMap<>();

        private final TopicConfig plainTopic;
        private final Placement placement;
        private final Map<String, Overridden> overridden;

        Layers(ClusterView view, Map<String, String> own, Map<String, String> all, Map<String, String> file) {
            this.view = view;
            this.own = own;
            this.all = all;
            this.file = file;
            Map<String, String> values = new HashMap<>(file);
            values.putAll(all);
            values.putAll(own);
            Stream.of(all, own).forEach(network::putAll);
            network.keySet().removeIf(name -> !BrokerConfig.isOfNetwork(name));
            values.keySet().retainAll(BrokerConfig.KEYS.keySet());
            broker = BrokerConfig.with(values);
            TopicConfig.KEYS.forEach((name, key) -> {
                String value = key.brokerKey() == null ? key.defaultValue() : broker.get(key.brokerKey());
                if (value != null) {
                    topicDefaults.put(name, value);
                }
            });
            plainTopic = new TopicConfig(topicDefaults);
            placement = Placement.of(broker.get(BrokerConfig.STORAGE_PLACEMENT));
            overridden = new ConcurrentHashMap<>();
        }

        private Layers(Layers before, ClusterView view) {
            this.view = view;
            own = before.own;
            all = before.all;
            file = before.file;
            broker = before.broker;
            topicDefaults.putAll(before.topicDefaults);
            network.putAll(before.network);
            plainTopic = before.plainTopic;
            placement = before.placement;
            overridden = before.overridden;
        }

        Layers at(ClusterView newView) {
            return new Layers(this, newView);
        }

        TopicConfig topic(String topic) {
            Map<String, String> overrides = view.configs(ConfigResource.topic(topic));
            if (overrides.isEmpty()) {
                return plainTopic;
            }
            Overridden known = overridden.get(topic);
            if (known == null || !known.overrides().equals(overrides)) {
                known = new Overridden(overrides, topic(overrides));
                overridden.put(topic, known);
            }
            return known.config();
        }

        TopicConfig topic(Map<String, String> overrides) {
            Map<String, String> values = new TreeMap<>(topicDefaults);
            values.putAll(overrides);
            return new TopicConfig(values);
        }

        /**
         * The engine that the topic's config names, else the one that the controller has chosen, else the one that the
         * placement rule gives it.
         */
        String engineOf(String topic, TopicConfig config) {
            String asked = config.get(TopicConfig.STORAGE_ENGINE);
            return asked.isEmpty() ? chosenEngine(topic) : asked;
        }

        private String chosenEngine(String topic) {
            return view.topic(topic).map(TopicView::engine).orElseGet(() -> placement.engineOf(topic));
        }
    }

    /** A topic's own values, and its configuration with the defaults for all other keys. */
    private record Overridden(Map<String, String> overrides, TopicConfig config) {}

    void update(ClusterView view) {
        Map<String, String> own = view.configs(ConfigResource.broker(brokerId));
        Map<String, String> all = view.configs(ConfigResource.allBrokers());
        Layers now = layers;
        if (own.equals(now.own) && all.equals(now.all)) {
            now.overridden.keySet().removeIf(topic -> view.topic(topic).isEmpty());
            layers = now.at(view);
        } else {
            change(new Layers(view, own, all, now.file));
        }
    }

    private synchronized void change(Layers to) {
        boolean ofNetwork = !to.network.equals(layers.network);
        layers = to;
        if (ofNetwork && endpoints != null) {
            endpoints.override(to.network);
        }
    }

    /**
     * Takes a changed configuration file. Called on the thread that passes views.
     *
     * @throws io.felice.api.FeliceException INVALID_CONFIG if a value is illegal, or if the engine of a topic cannot
     *     give the durability that the file asks for; the previous file stays effective
     */
    void update(Map<String, String> file) {
        Layers now = layers;
        if (!file.equals(now.file)) {
            Layers wanted = new Layers(now.view, now.own, now.all, checked(file));
            checkBroker(now, wanted);
            layers = wanted;
        }
    }

    /** The engines that the placement rule names and that are not mounted. */
    Set<String> missingEngines() {
        Set<String> missing = new TreeSet<>(layers.placement.enginesInUse());
        missing.removeAll(engines.names());
        return missing;
    }

    /**
     * One sentence for each topic whose engine cannot give the durability that its config asks for. The configuration
     * file can cause this, because it is read before the topics are known.
     */
    List<String> unmetConfigs() {
        Layers now = layers;
        List<String> sentences = new ArrayList<>();
        now.view.topics().forEach(topic -> {
            Map<String, String> own = now.view.configs(ConfigResource.topic(topic.name()));
            enginesOf(now, topic).forEach(engine -> unmetConfig(topic.name(), own, now.topic(own), engine)
                    .ifPresent(sentences::add));
        });
        return sentences;
    }

    @Override
    public TopicConfig topic(String topic) {
        return layers.topic(topic);
    }

    @Override
    public BrokerConfig broker() {
        return layers.broker;
    }

    /** The engine for a new log of the topic: the engine of its other logs; without logs, the engine of its config. */
    String engineOf(String topic) {
        Layers now = layers;
        return now.view
                .topic(topic)
                .flatMap(existing -> enginesWithLogs.apply(existing).findFirst())
                .orElseGet(() -> now.engineOf(topic, now.topic(topic)));
    }

    @Override
    public List<ConfigEntry> describe(ConfigResource resource) {
        Layers now = layers;
        return switch (resource.type()) {
            case TOPIC -> describeTopic(now, resource.name(), own(now, resource));
            case BROKER -> describeBroker(now, resource);
        };
    }

    @Override
    public List<ConfigEntry> describeTopic(String topic, Map<String, String> own) {
        return describeTopic(layers, topic, own);
    }

    private static Map<String, String> own(Layers now, ConfigResource topic) {
        if (now.view.topic(topic.name()).isEmpty()) {
            throw UNKNOWN_TOPIC_OR_PARTITION.because("There is no topic " + topic.name());
        }
        return now.view.configs(topic);
    }

    private List<ConfigEntry> describeTopic(Layers now, String topic, Map<String, String> own) {
        List<ConfigEntry> entries = new ArrayList<>();
        TopicConfig.KEYS.forEach((name, key) -> {
            List<Synonym> synonyms = new ArrayList<>();
            if (name.equals(TopicConfig.STORAGE_ENGINE)) {
                addEngines(synonyms, now, topic, own.getOrDefault(name, ""));
            } else {
                add(synonyms, name, own.get(name), DYNAMIC_TOPIC);
                if (name.equals(TopicConfig.STORAGE_DURABILITY)) {
                    add(synonyms, name, defaultDurability(now, topic, own), DEFAULT);
                } else {
                    synonyms.addAll(defaults(now, key));
                }
            }
            if (!synonyms.isEmpty()) {
                entries.add(entry(key, synonyms));
            }
        });
        return entries;
    }

    private static List<Synonym> defaults(Layers now, ConfigKey key) {
        if (key.brokerKey() != null) {
            return brokerSynonyms(now, BrokerConfig.KEYS.get(key.brokerKey()));
        }
        List<Synonym> synonyms = new ArrayList<>();
        add(synonyms, key.name(), key.defaultValue(), DEFAULT);
        return synonyms;
    }

    /**
     * Adds the engine that the topic's config names, and as the default the engines that have or will have its logs.
     */
    private void addEngines(List<Synonym> synonyms, Layers now, String topic, String asked) {
        if (!asked.isEmpty()) {
            add(synonyms, TopicConfig.STORAGE_ENGINE, asked, DYNAMIC_TOPIC);
        }
        String kept = now.view
                .topic(topic)
                .map(existing -> String.join(",", enginesOf(now, existing)))
                .orElseGet(() -> now.placement.engineOf(topic));
        add(synonyms, TopicConfig.STORAGE_ENGINE, kept, DEFAULT);
    }

    /** {@code none} if an engine of the topic does not survive a kill. */
    private String defaultDurability(Layers now, String topic, Map<String, String> own) {
        boolean survives =
                enginesOf(now, topic, now.topic(own)).stream().allMatch(engine -> has(engine, SURVIVES_KILL));
        Durability durability = survives ? Durability.KILL : Durability.NONE;
        return durability.name().toLowerCase(Locale.ROOT);
    }

    private List<ConfigEntry> describeBroker(Layers now, ConfigResource resource) {
        List<ConfigEntry> entries = new ArrayList<>();
        if (resource.equals(ConfigResource.allBrokers())) {
            new TreeMap<>(now.all)
                    .forEach((name, value) -> entries.add(
                            entry(BrokerConfig.key(name), List.of(new Synonym(name, value, DYNAMIC_DEFAULT_BROKER)))));
            return entries;
        }
        if (!resource.equals(ConfigResource.broker(brokerId))) {
            throw INVALID_REQUEST.because("Broker " + brokerId + " cannot describe broker " + resource.name());
        }
        Map<String, List<Synonym>> synonyms = new TreeMap<>();
        nodeSettings(now).forEach((name, value) -> synonyms.put(name, nodeSynonyms(now, name, value)));
        BrokerConfig.KEYS.forEach((name, key) -> synonyms.put(name, brokerSynonyms(now, key)));
        Stream.of(now.own, now.all)
                .flatMap(layer -> layer.keySet().stream())
                .forEach(name -> synonyms.computeIfAbsent(name, set -> brokerSynonyms(now, BrokerConfig.key(set))));
        synonyms.forEach((name, layers) -> entries.add(entry(BrokerConfig.key(name), layers)));
        return entries;
    }

    /** The values of {@link BrokerConfig#NODE_KEYS}, as far as they are known. */
    private Map<String, String> nodeSettings(Layers now) {
        Map<String, String> settings = new HashMap<>();
        Endpoints network = endpoints;
        if (network != null) {
            settings.putAll(network.settings());
            settings.keySet().retainAll(BrokerConfig.NODE_KEYS.keySet());
        }
        settings.put(BrokerConfig.NODE_ID, Integer.toString(brokerId));
        settings.put(BrokerConfig.BROKER_ID, Integer.toString(brokerId));
        settings.put(
                BrokerConfig.LOG_DIRS,
                engines.all().stream().map(MountedEngine::logDir).collect(Collectors.joining(",")));
        now.view
                .broker(brokerId)
                .map(broker -> broker.registration().rack())
                .ifPresent(rack -> settings.put(BrokerConfig.BROKER_RACK, rack));
        return settings;
    }

    private static List<Synonym> nodeSynonyms(Layers now, String name, String ofFile) {
        List<Synonym> synonyms = brokerSynonyms(now, BrokerConfig.key(name));
        add(synonyms, name, ofFile, STATIC_BROKER);
        return synonyms;
    }

    private static List<Synonym> brokerSynonyms(Layers now, ConfigKey key) {
        List<Synonym> synonyms = new ArrayList<>();
        add(synonyms, key.name(), now.own.get(key.name()), DYNAMIC_BROKER);
        add(synonyms, key.name(), now.all.get(key.name()), DYNAMIC_DEFAULT_BROKER);
        add(synonyms, key.name(), now.file.get(key.name()), STATIC_BROKER);
        add(synonyms, key.name(), key.defaultValue(), DEFAULT);
        return synonyms;
    }

    private static void add(List<Synonym> synonyms, String name, String value, ConfigEntry.Source source) {
        if (value != null) {
            synonyms.add(new Synonym(name, value, source));
        }
    }

    private static ConfigEntry entry(ConfigKey key, List<Synonym> synonyms) {
        Synonym first = synonyms.get(0);
        return new ConfigEntry(key, first.value(), first.source(), synonyms);
    }

    @Override
    public void check(ConfigResource resource, String name, String value) {
        boolean ofTopic = resource.type() == ConfigResource.Type.TOPIC;
        ConfigKey key = ofTopic ? TopicConfig.KEYS.get(name) : BrokerConfig.key(name);
        if (key == null) {
            throw INVALID_CONFIG.because("Unknown topic config name: " + name);
        }
        if (!key.dynamic()) {
            throw INVALID_REQUEST.because("Cannot update these configs dynamically: [" + name + "]");
        }
        key.check(value);
        if (ofTopic) {
            checkTopic(name, value);
        } else {
            checkBroker(name, value);
        }
    }

    private void checkTopic(String name, String value) {
        if (name.equals(TopicConfig.STORAGE_ENGINE) && !value.isEmpty()) {
            mustBeMounted(value);
        }
    }

    private void checkBroker(String name, String value) {
        if (name.equals(BrokerConfig.STORAGE_PLACEMENT)) {
            Placement.of(value).engines().forEach(this::mustBeMounted);
        }
    }

    private void mustBeMounted(String engine) {
        if (engines.find(engine).isEmpty()) {
            throw INVALID_CONFIG.because("There is no storage engine " + engine + "; there are: "
                    + String.join(", ", engines.names()) + ".");
        }
    }

    @Override
    public void check(ConfigResource resource, Map<String, String> values) {
        Layers now = layers;
        switch (resource.type()) {
            case TOPIC -> checkTopic(now, resource, values);
            case BROKER -> {
                boolean ofAll = resource.equals(ConfigResource.allBrokers());
                Map<String, String> own = resource.equals(ConfigResource.broker(brokerId)) ? values : now.own;
                Layers wanted = new Layers(now.view, own, ofAll ? values : now.all, now.file);
                checkBroker(now, wanted);
                checkAddresses(wanted);
            }
        }
    }

    private void checkTopic(Layers now, ConfigResource resource, Map<String, String> values) {
        String topic = resource.name();
        TopicConfig config = now.topic(values);
        mustHaveOrderedLags(config);
        Optional<TopicView> existing = now.view.topic(topic);
        if (existing.isPresent()) {
            Map<String, String> own = now.view.configs(resource);
            TopicConfig before = now.topic(own);
            if (own.containsKey(TopicConfig.STORAGE_DURABILITY) == values.containsKey(TopicConfig.STORAGE_DURABILITY)
                    && OF_ENGINES.stream().allMatch(key -> before.get(key).equals(config.get(key)))) {
                return;
            }
            mustStay(now, existing.get(), before, config);
        }
        enginesOf(now, topic, config).forEach(engine -> mustMeet(topic, values, config, engine));
    }

    /** As in Apache Kafka. */
    private static void mustHaveOrderedLags(TopicConfig config) {
        long least = config.getLong(TopicConfig.MIN_COMPACTION_LAG_MS);
        long most = config.getLong(TopicConfig.MAX_COMPACTION_LAG_MS);
        if (least > most) {
            throw INVALID_CONFIG.because("conflict topic config setting " + TopicConfig.MIN_COMPACTION_LAG_MS + " ("
                    + least + ") > " + TopicConfig.MAX_COMPACTION_LAG_MS + " (" + most + ")");
        }
    }

    private void mustStay(Layers now, TopicView topic, TopicConfig before, TopicConfig config) {
        Set<String> kept = enginesOf(now, topic);
        boolean moved = !before.get(TopicConfig.STORAGE_ENGINE).equals(config.get(TopicConfig.STORAGE_ENGINE));
        if (moved && !kept.equals(Set.of(now.engineOf(topic.name(), config)))) {
            throw INVALID_CONFIG.because("Topic " + topic.name() + " is kept by " + String.join(", ", kept)
                    + "; felice:topic-move and kafka-reassign-partitions move it to another engine.");
        }
    }

    /**
     * Checks that an engine can give what a topic asks for, before the topic's logs are moved to the engine.
     *
     * @throws io.felice.api.FeliceException INVALID_CONFIG
     */
    void mustTake(String topic, String engine) {
        Layers now = layers;
        Map<String, String> own = now.view.configs(ConfigResource.topic(topic));
        TopicConfig config = now.topic(own);
        mustMeet(topic, own, config, engine);
        String durability = config.get(TopicConfig.STORAGE_DURABILITY);
        if (!has(engine, SURVIVES_KILL) && !durability.equals("none")) {
            throw INVALID_CONFIG.because(
                    "Topic " + topic + " is not moved to " + engine + ", whose records do not survive"
                            + " kill -9 of the broker: that needs " + TopicConfig.STORAGE_DURABILITY
                            + "=none, and the topic has "
                            + durability + ".");
        }
    }

    /** The engine that has all logs of a topic on this node, if the topic's config names another one. */
    Optional<String> formerEngine(TopicView topic) {
        Layers now = layers;
        String named =
                now.view.configs(ConfigResource.topic(topic.name())).getOrDefault(TopicConfig.STORAGE_ENGINE, "");
        Set<String> kept = enginesOf(now, topic);
        return named.isEmpty() || kept.size() != 1 || kept.contains(named)
                ? Optional.empty()
                : kept.stream().findFirst();
    }

    /** Checks a changed default against every topic that it applies to. */
    private void checkBroker(Layers now, Layers wanted) {
        if (OF_ENGINES_BY_DEFAULT.stream().allMatch(key -> now.broker.get(key).equals(wanted.broker.get(key)))) {
            return;
        }
        now.view.topics().forEach(topic -> {
            Map<String, String> own = now.view.configs(ConfigResource.topic(topic.name()));
            TopicConfig config = wanted.topic(own);
            enginesOf(now, topic).forEach(engine -> mustMeet(topic.name(), own, config, engine));
        });
    }

    /** The engines that have the topic's logs; the one that will have them if the topic is new. */
    private Set<String> enginesOf(Layers now, String topic, TopicConfig config) {
        return now.view
                .topic(topic)
                .map(existing -> enginesOf(now, existing))
                .orElseGet(() -> Set.of(now.engineOf(topic, config)));
    }

    /** Refuses a limit of 0 for all addresses if no address has a limit of its own: nobody could connect any more. */
    private void checkAddresses(Layers wanted) {
        Map<String, String> values = new HashMap<>();
        Endpoints network = endpoints;
        if (network != null) {
            values.putAll(network.settings());
        }
        values.putAll(wanted.network);
        String most = values.getOrDefault(BrokerConfig.MAX_CONNECTIONS_PER_IP, "");
        String overrides = values.getOrDefault(BrokerConfig.MAX_CONNECTIONS_PER_IP_OVERRIDES, "");
        if (most.trim().equals("0") && overrides.isBlank()) {
            throw INVALID_CONFIG.because(BrokerConfig.MAX_CONNECTIONS_PER_IP + " can be 0 only if "
                    + BrokerConfig.MAX_CONNECTIONS_PER_IP_OVERRIDES + " allows an address to connect.");
        }
    }

    /** The engines that have the topic's logs; before the first log is opened, the engine that will have them. */
    private Set<String> enginesOf(Layers now, TopicView topic) {
        Set<String> current = enginesWithLogs.apply(topic).collect(Collectors.toCollection(TreeSet::new));
        return current.isEmpty() ? Set.of(now.engineOf(topic.name(), now.topic(topic.name()))) : current;
    }

    /** @see StoragePromise */
    private void mustMeet(String topic, Map<String, String> own, TopicConfig config, String engine) {
        unmetConfig(topic, own, config, engine).ifPresent(sentence -> {
            throw INVALID_CONFIG.because(sentence);
        });
    }

    /** Empty also if the engine is away: its traits are not known. */
    private Optional<String> unmetConfig(String topic, Map<String, String> own, TopicConfig config, String engine) {
        return engines.find(engine)
                .flatMap(found -> StoragePromise.refusal(topic, own, config, engine, found.traits()));
    }

    /** True also of an engine that is away: its traits are not known. */
    private boolean has(String engine, EngineTrait trait) {
        return engines.find(engine).map(found -> found.traits().contains(trait)).orElse(true);
    }
}
