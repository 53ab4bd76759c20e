package io.felice.cluster.zookeeper;

import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicView;
import io.felice.api.config.ConfigResource;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;

/**
 * The readable part of a metadata log that has lost batches: the newest complete snapshot, and every later batch that
 * still exists. One thread, which waits for ZooKeeper.
 */
final class Salvage {
    /**
     * More producer ids than one batch can allocate. Skipping so many for each lost batch makes sure that no id is
     * given out twice.
     */
    private static final long PRODUCER_IDS_PER_BATCH = 100_000_000L;

    /** More than one batch can raise the epochs of a partition by. */
    private static final int EPOCHS_PER_BATCH = 1_000;

    private final ZooKeeper zooKeeper;
    private final Paths paths;
    private final List<Long> incompleteSnapshots = new ArrayList<>();
    private final List<Long> missing = new ArrayList<>();
    private final Map<UUID, Integer> partitionsWithoutTopic = new TreeMap<>();
    private final ChangeParts parts = new ChangeParts();
    private long length;
    private boolean isWhole;
    private ClusterView view = ClusterView.EMPTY;

    private Salvage(ZooKeeper zooKeeper, Paths paths) {
        this.zooKeeper = zooKeeper;
        this.paths = paths;
    }

    static Salvage read(ZooKeeper zooKeeper, Paths paths) throws KeeperException, InterruptedException {
        Salvage salvage = new Salvage(zooKeeper, paths);
        salvage.read();
        return salvage;
    }

    /** True if all batches and chunks exist that a starting node needs. */
    boolean isWhole() {
        return isWhole;
    }

    long length() {
        return length;
    }

    /** The lost batches that no snapshot covers. */
    List<Long> missing() {
        return missing;
    }

    List<Long> incompleteSnapshots() {
        return incompleteSnapshots;
    }

    /**
     * The topics whose creation is lost although batches have changes of their partitions, with the number of these
     * changes.
     */
    Map<UUID, Integer> partitionsWithoutTopic() {
        return partitionsWithoutTopic;
    }

    /** The state after all batches that exist, without the changes that need a lost batch. */
    ClusterView view() {
        return view;
    }

    /**
     * The records of the state to continue with.
     *
     * @param clusterId the cluster id that this node knows, used if the log has lost it
     */
    List<MetadataRecord> records(Optional<String> clusterId) {
        List<MetadataRecord> records = new ArrayList<>();
        if (view.clusterId().isEmpty()) {
            clusterId.map(MetadataRecord.ClusterNamed::new).ifPresent(records::add);
        }
        view.toRecords().stream().filter(this::makesSense).map(this::raised).forEach(records::add);
        if (!missing.isEmpty()) {
            long next = view.nextProducerId() + missing.size() * PRODUCER_IDS_PER_BATCH;
            records.add(new MetadataRecord.ProducerIdsAllocated(-1, next, 0));
        }
        return records;
    }

    private void read() throws KeeperException, InterruptedException {
        Optional<byte[]> pointerData = data(paths.snapshots());
        SnapshotList pointer = SnapshotList.of(text(pointerData.orElse(new byte[0])));
        Stat log = zooKeeper.exists(paths.log(), false);
        length = log == null ? 0 : log.getVersion();
        readSnapshot(pointer);
        long first = view.version() + 1;
        for (long n = first; n <= length; n++) {
            readBatch(n);
        }
        isWhole = pointerData.isPresent()
                && log != null
                && missing.isEmpty()
                && incompleteSnapshots.isEmpty()
                && log.getNumChildren() >= length - pointer.neededAfter()
                && zooKeeper.exists(paths.controllerEpoch(), false) != null;
    }

    private void readSnapshot(SnapshotList pointer) throws KeeperException, InterruptedException {
        for (SnapshotList.Snapshot snapshot : pointer.snapshots()) {
            List<MetadataRecord> records = new ArrayList<>();
            int chunks = 0;
            while (chunks < snapshot.chunks()) {
                Optional<byte[]> chunk = data(paths.chunk(snapshot.version(), chunks));
                if (chunk.isEmpty()) {
                    break;
                }
                records.addAll(MetadataBatch.records(List.of(text(chunk.get()).split("\n"))));
                chunks++;
            }
            if (chunks == snapshot.chunks()) {
                view = ClusterView.EMPTY.after(snapshot.version(), records);
                return;
            }
            incompleteSnapshots.add(snapshot.version());
        }
    }

    private void readBatch(long n) throws KeeperException, InterruptedException {
        Optional<byte[]> data = data(paths.log(n));
        if (data.isEmpty()) {
            missing.add(n);
            parts.clear();
            return;
        }
        ClusterView now = view;
        List<MetadataRecord> known = new ArrayList<>();
        for (MetadataRecord record : parts.add(MetadataBatch.of(data.get()))) {
            now = apply(now, record, known);
        }
        view = view.after(n, known);
    }

    /** Applies a record. Drops a partition of a topic whose creation is lost. */
    private ClusterView apply(ClusterView now, MetadataRecord record, List<MetadataRecord> known) {
        if (record instanceof MetadataRecord.PartitionChanged partition
                && now.topic(partition.topicId()).isEmpty()) {
            partitionsWithoutTopic.merge(partition.topicId(), 1, Integer::sum);
            return now;
        }
        known.add(record);
        return record instanceof MetadataRecord.TopicCreated ? now.after(now.version(), List.of(record)) : now;
    }

    private boolean makesSense(MetadataRecord record) {
        if (record instanceof MetadataRecord.TopicCreated topic) {
            return partitions(topic.topicId()) > 0;
        }
        if (record instanceof MetadataRecord.PartitionChanged partition) {
            return partition.partition() < partitions(partition.topicId());
        }
        return !(record instanceof MetadataRecord.ConfigSet config)
                || config.resource().type() != ConfigResource.Type.TOPIC
                || view.topic(config.resource().name()).isPresent();
    }

    /** Raises the epochs of a partition, because a lost batch may have raised them and no epoch may be used twice. */
    private MetadataRecord raised(MetadataRecord record) {
        if (!(record instanceof MetadataRecord.PartitionChanged partition) || missing.isEmpty()) {
            return record;
        }
        int lost = missing.size() * EPOCHS_PER_BATCH;
        PartitionState state = partition.state();
        return new MetadataRecord.PartitionChanged(
                partition.topicId(),
                partition.partition(),
                new PartitionState(
                        state.replicas(),
                        state.isr(),
                        state.eligible(),
                        state.adding(),
                        state.removing(),
                        state.leader(),
                        state.leaderEpoch() + lost,
                        state.partitionEpoch() + lost,
                        state.recovering()));
    }

    /** The number of partitions without a gap from 0 on. Partitions after a lost one are dropped. */
    private int partitions(UUID topicId) {
        TopicView topic = view.topic(topicId).orElseThrow();
        int count = 0;
        while (topic.partition(count).isPresent()) {
            count++;
        }
        return count;
    }

    private Optional<byte[]> data(String path) throws KeeperException, InterruptedException {
        try {
            return Optional.of(zooKeeper.getData(path, false, null));
        } catch (KeeperException.NoNodeException gone) {
            return Optional.empty();
        }
    }

    private static String text(byte[] data) {
        return new String(data, StandardCharsets.UTF_8);
    }
}
