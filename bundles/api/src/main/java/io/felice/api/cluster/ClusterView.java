package io.felice.api.cluster;

import io.felice.api.config.ConfigResource;
import io.felice.api.security.SecurityView;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;

/**
 * The whole metadata of the cluster at one version of the metadata log. Immutable; any thread. All nodes have equal
 * views at the same version.
 *
 * <p>{@link #after} replays records into a new view, which shares the unchanged parts with the old view.
 */
public final class ClusterView {
    /** The view before the first record: version 0, without a cluster id. */
    public static final ClusterView EMPTY = new ClusterView(
            0,
            null,
            Map.of(),
            Map.of(),
            SharedMap.empty(),
            SharedMap.empty(),
            SharedMap.empty(),
            SecurityView.EMPTY,
            0L,
            0);

    private final long version;
    private final String clusterId;
    private final Map<Integer, LiveBroker> brokers;
    private final Map<Integer, LiveBroker> lastSeen;
    private final SharedMap<String, TopicView> topicsByName;
    private final SharedMap<UUID, TopicView> topicsById;
    private final SharedMap<ConfigResource, Map<String, String>> configs;
    private final SecurityView security;
    private final long nextProducerId;
    private final int partitionCount;

    private ClusterView(
            long version,
            String clusterId,
            Map<Integer, LiveBroker> brokers,
            Map<Integer, LiveBroker> lastSeen,
            SharedMap<String, TopicView> topicsByName,
            SharedMap<UUID, TopicView> topicsById,
            SharedMap<ConfigResource, Map<String, String>> configs,
            SecurityView security,
            long nextProducerId,
            int partitionCount) {
        this.version = version;
        this.clusterId = clusterId;
        this.brokers = brokers;
        this.lastSeen = lastSeen;
        this.topicsByName = topicsByName;
        this.topicsById = topicsById;
        this.configs = configs;
        this.security = security;
        this.nextProducerId = nextProducerId;
        this.partitionCount = partitionCount;
    }

    /**
     * A registered broker, with its broker epoch.
     *
     * @param leaving true if the broker is about to stop (controlled shutdown)
     */
    public record LiveBroker(BrokerRegistration registration, long epoch, boolean leaving) {}

    /** The number of changes of the metadata log that were replayed into this view. */
    public long version() {
        return version;
    }

    /** The cluster id; empty before the cluster has got its id. */
    public Optional<String> clusterId() {
        return Optional.ofNullable(clusterId);
    }

    /** The live brokers by broker id, in ascending order. */
    public Map<Integer, LiveBroker> brokers() {
        return brokers;
    }

    public Optional<LiveBroker> broker(int brokerId) {
        return Optional.ofNullable(brokers.get(brokerId));
    }

    /** The last registrations of brokers that are not live now, in no particular order. */
    public List<BrokerRegistration> absentBrokers() {
        return lastSeen.entrySet().stream()
                .filter(seen -> !brokers.containsKey(seen.getKey()))
                .map(seen -> seen.getValue().registration())
                .toList();
    }

    /** The last registration of a broker, also of one that is not live; empty if the broker was never registered. */
    public Optional<BrokerRegistration> lastRegistration(int brokerId) {
        return Optional.ofNullable(lastSeen.get(brokerId)).map(LiveBroker::registration);
    }

    /**
     * The store id in the last registration of a broker, also of a broker that is not live. If a broker returns with
     * another store id, its disk was emptied or replaced. Empty if the broker was never registered.
     */
    public Optional<UUID> storeId(int brokerId) {
        return lastRegistration(brokerId).map(BrokerRegistration::storeId);
    }

    /** All topics, in no particular order. */
    public Collection<TopicView> topics() {
        return topicsByName.values();
    }

    /** The partitions of all topics together. */
    public int partitionCount() {
        return partitionCount;
    }

    public Optional<TopicView> topic(String name) {
        return Optional.ofNullable(topicsByName.get(name));
    }

    public Optional<TopicView> topic(UUID topicId) {
        return Optional.ofNullable(topicsById.get(topicId));
    }

    /** The dynamic configs of this resource, without those of lower layers; empty if none is set. */
    public Map<String, String> configs(ConfigResource resource) {
        Map<String, String> own = configs.get(resource);
        return own == null ? Map.of() : own;
    }

    /** The users, ACLs and quotas. */
    public SecurityView security() {
        return security;
    }

    /** The first producer id that is in no block yet. */
    public long nextProducerId() {
        return nextProducerId;
    }

    /**
     * The view after these records.
     *
     * @throws IllegalStateException if a record changes a partition of a topic that does not exist
     */
    public ClusterView after(long newVersion, List<MetadataRecord> records) {
        Replay replay = new Replay(this);
        records.forEach(replay::apply);
        return replay.result(newVersion);
    }

    /** The records of a snapshot: replayed into {@link #EMPTY}, they give this view. */
    public List<MetadataRecord> toRecords() {
        List<MetadataRecord> records = new ArrayList<>();
        if (clusterId != null) {
            records.add(new MetadataRecord.ClusterNamed(clusterId));
        }
        lastSeen.values().forEach(b -> records.add(new MetadataRecord.BrokerRegistered(b.registration(), b.epoch())));
        lastSeen.forEach((id, last) -> {
            if (!brokers.containsKey(id)) {
                records.add(new MetadataRecord.BrokerGone(id, last.epoch()));
            } else if (brokers.get(id).leaving()) {
                records.add(new MetadataRecord.BrokerLeaving(id, last.epoch()));
            }
        });
        for (TopicView topic : topicsByName.values()) {
            records.add(new MetadataRecord.TopicCreated(topic.topicId(), topic.name(), topic.engine()));
            topic.partitions()
                    .forEach((p, state) -> records.add(new MetadataRecord.PartitionChanged(topic.topicId(), p, state)));
        }
        configs.forEach((resource, entries) ->
                entries.forEach((k, v) -> records.add(new MetadataRecord.ConfigSet(resource, k, v))));
        security.users()
                .forEach((user, credentials) -> credentials.forEach((mechanism, credential) ->
                        records.add(new MetadataRecord.CredentialSet(user, mechanism, credential))));
        security.acls().forEach(acl -> records.add(new MetadataRecord.AclAdded(acl)));
        security.quotas()
                .forEach((entity, values) ->
                        values.forEach((key, value) -> records.add(new MetadataRecord.QuotaSet(entity, key, value))));
        if (nextProducerId > 0) {
            records.add(new MetadataRecord.ProducerIdsAllocated(-1, nextProducerId, 0));
        }
        return records;
    }

    /** Applies records to a view. A map of the view is copied when the first record changes it. */
    private static final class Replay {
        private String clusterId;
        private long nextProducerId;
        private int partitionCount;
        private final Copied<Integer, LiveBroker> brokers;
        private final Copied<Integer, LiveBroker> lastSeen;
        private final SharedMap.Edit<String, TopicView> topicsByName;
        private final SharedMap.Edit<UUID, TopicView> topicsById;
        private final SharedMap.Edit<ConfigResource, Map<String, String>> configs;
        private final SecurityReplay security;
        private final Map<UUID, Map<Integer, PartitionState>> changed = new HashMap<>();
        private final Map<ConfigResource, Map<String, String>> changedConfigs = new HashMap<>();

        Replay(ClusterView from) {
            clusterId = from.clusterId;
            nextProducerId = from.nextProducerId;
            partitionCount = from.partitionCount;
            brokers = new Copied<>(from.brokers);
            lastSeen = new Copied<>(from.lastSeen);
            topicsByName = from.topicsByName.edit();
            topicsById = from.topicsById.edit();
            configs = from.configs.edit();
            security = new SecurityReplay(from.security);
        }

        void apply(MetadataRecord record) {
            if (record instanceof MetadataRecord.PartitionChanged partition) {
                partitionsOf(partition.topicId()).put(partition.partition(), partition.state());
            } else if (record instanceof MetadataRecord.TopicCreated created) {
                put(new TopicView(created.topicId(), created.topic(), created.engine(), Map.of()));
            } else if (record instanceof MetadataRecord.TopicDeleted deleted) {
                delete(deleted.topicId());
            } else if (record instanceof MetadataRecord.ConfigSet config) {
                set(config);
            } else if (record instanceof MetadataRecord.BrokerRegistered broker) {
                LiveBroker live = new LiveBroker(broker.broker(), broker.epoch(), isLeaving(broker));
                brokers.write().put(broker.broker().brokerId(), live);
                lastSeen.write().put(broker.broker().brokerId(), live);
            } else if (record instanceof MetadataRecord.BrokerGone gone) {
                LiveBroker known = brokers.read().get(gone.brokerId());
                if (known != null && known.epoch() == gone.epoch()) {
                    brokers.write().remove(gone.brokerId());
                }
            } else if (record instanceof MetadataRecord.BrokerLeaving leaving) {
                LiveBroker known = brokers.read().get(leaving.brokerId());
                if (known != null && known.epoch() == leaving.epoch()) {
                    brokers.write().put(leaving.brokerId(), new LiveBroker(known.registration(), known.epoch(), true));
                }
            } else if (record instanceof MetadataRecord.BrokerRemoved removed) {
                if (!brokers.read().containsKey(removed.brokerId())) {
                    lastSeen.write().remove(removed.brokerId());
                }
            } else if (record instanceof MetadataRecord.ProducerIdsAllocated ids) {
                nextProducerId = Math.max(nextProducerId, ids.nextId());
            } else if (record instanceof MetadataRecord.ClusterNamed named) {
                clusterId = named.clusterId();
            } else if (!security.apply(record) && !(record instanceof MetadataRecord.BrokerRefused)) {
                throw new IllegalStateException("no replay for " + record);
            }
        }

        /** A process that is about to stop is so in a new session too. */
        private boolean isLeaving(MetadataRecord.BrokerRegistered broker) {
            LiveBroker known = brokers.read().get(broker.broker().brokerId());
            return known != null
                    && known.leaving()
                    && known.registration().incarnation().equals(broker.broker().incarnation());
        }

        private void put(TopicView topic) {
            TopicView before = topicsById.get(topic.topicId());
            partitionCount += topic.partitions().size()
                    - (before == null ? 0 : before.partitions().size());
            topicsByName.put(topic.name(), topic);
            topicsById.put(topic.topicId(), topic);
        }

        private void delete(UUID topicId) {
            changed.remove(topicId);
            TopicView topic = topicsById.remove(topicId);
            if (topic != null) {
                partitionCount -= topic.partitions().size();
                TopicView ofName = topicsByName.get(topic.name());
                if (ofName != null && ofName.topicId().equals(topicId)) {
                    topicsByName.remove(topic.name());
                }
                ConfigResource resource = ConfigResource.topic(topic.name());
                changedConfigs.remove(resource);
                configs.remove(resource);
            }
        }

        private Map<Integer, PartitionState> partitionsOf(UUID topicId) {
            TopicView topic = topicsById.get(topicId);
            if (topic == null) {
                throw new IllegalStateException("a partition of topic " + topicId + ", which does not exist");
            }
            return changed.computeIfAbsent(topicId, id -> new TreeMap<>(topic.partitions()));
        }

        private void set(MetadataRecord.ConfigSet config) {
            Map<String, String> entries = changedConfigs.computeIfAbsent(config.resource(), resource -> {
                Map<String, String> before = configs.get(resource);
                return before == null ? new TreeMap<>() : new TreeMap<>(before);
            });
            if (config.value() == null) {
                entries.remove(config.key());
            } else {
                entries.put(config.key(), config.value());
            }
        }

        ClusterView result(long version) {
            changed.forEach((id, partitions) -> {
                TopicView topic = topicsById.get(id);
                put(new TopicView(id, topic.name(), topic.engine(), partitions));
            });
            changedConfigs.forEach((resource, entries) -> {
                if (entries.isEmpty()) {
                    configs.remove(resource);
                } else {
                    configs.put(resource, Collections.unmodifiableMap(entries));
                }
            });
            return new ClusterView(
                    version,
                    clusterId,
                    Collections.unmodifiableMap(new TreeMap<>(brokers.read())),
                    lastSeen.read(),
                    topicsByName.done(),
                    topicsById.done(),
                    configs.done(),
                    security.result(),
                    nextProducerId,
                    partitionCount);
        }
    }

    /** A map that is copied at the first call of {@link #write}. */
    static final class Copied<K, V> {
        private Map<K, V> map;
        private boolean own;

        Copied(Map<K, V> shared) {
            this.map = shared;
        }

        Map<K, V> read() {
            return map;
        }

        Map<K, V> write() {
            if (!own) {
                map = new HashMap<>(map);
                own = true;
            }
            return map;
        }
    }
}
