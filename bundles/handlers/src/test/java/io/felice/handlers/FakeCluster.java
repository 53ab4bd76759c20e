package io.felice.handlers;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.felice.api.Subscription;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.BrokerRegistration.Endpoint;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.ConfigResource;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/** A cluster of one broker with id 7 and two listeners. Tests change its view with metadata records. */
final class FakeCluster implements ClusterMetadata {
    static final int BROKER = 7;

    private volatile ClusterView view = ClusterView.EMPTY;

    FakeCluster() {
        apply(new MetadataRecord.ClusterNamed("cluster"), registered(BROKER));
    }

    private static MetadataRecord registered(int id) {
        return registered(id, "inside", 9092);
    }

    private static MetadataRecord registered(int id, String host, int port) {
        List<Endpoint> endpoints = List.of(
                new Endpoint("PLAINTEXT", "PLAINTEXT", host, port),
                new Endpoint("EXTERNAL", "PLAINTEXT", "outside", 19092));
        BrokerRegistration broker =
                new BrokerRegistration(id, new UUID(1, id), new UUID(2, id), endpoints, "rack" + id);
        return new MetadataRecord.BrokerRegistered(broker, id);
    }

    FakeCluster apply(MetadataRecord... records) {
        view = view.after(view.version() + 1, List.of(records));
        return this;
    }

    FakeCluster broker(int id) {
        return apply(registered(id));
    }

    /** Changes the address of broker 7 at the listener PLAINTEXT. */
    void at(String host, int port) {
        apply(registered(BROKER, host, port));
    }

    UUID topic(String name, int partitions) {
        return topic(name, partitions, PartitionState.created(List.of(BROKER), List.of(BROKER), BROKER));
    }

    UUID topic(String name, int partitions, PartitionState state) {
        UUID id = UUID.nameUUIDFromBytes((name + view.version()).getBytes(UTF_8));
        List<MetadataRecord> records = new ArrayList<>();
        records.add(new MetadataRecord.TopicCreated(id, name));
        for (int i = 0; i < partitions; i++) {
            records.add(new MetadataRecord.PartitionChanged(id, i, state));
        }
        apply(records.toArray(MetadataRecord[]::new));
        return id;
    }

    void delete(UUID topicId) {
        apply(new MetadataRecord.TopicDeleted(topicId));
    }

    void config(ConfigResource resource, String key, String value) {
        apply(new MetadataRecord.ConfigSet(resource, key, value));
    }

    @Override
    public ClusterView view() {
        return view;
    }

    @Override
    public int brokerId() {
        return BROKER;
    }

    /** True while new partitions do not open. */
    boolean opensNothing;

    @Override
    public CompletionStage<ClusterView> reached(long version) {
        return opensNothing ? new CompletableFuture<>() : replayed(version);
    }

    @Override
    public CompletionStage<ClusterView> replayed(long version) {
        return version <= view.version() ? CompletableFuture.completedFuture(view) : new CompletableFuture<>();
    }

    @Override
    public Subscription listen(Consumer<ClusterView> listener) {
        listener.accept(view);
        return () -> {};
    }
}
