package io.felice.replication;

import io.felice.api.Subscription;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.BrokerRegistration.Endpoint;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/** The metadata of a cluster in which this broker has the id 1. */
final class FakeView implements ClusterMetadata {
    static final int SELF = 1;
    static final long EPOCH = 77;

    private volatile ClusterView view = ClusterView.EMPTY;

    FakeView() {
        broker(SELF, 9092, EPOCH);
    }

    FakeView broker(int id, int port) {
        return broker(id, port, 5);
    }

    private FakeView broker(int id, int port, long epoch) {
        return apply(new MetadataRecord.BrokerRegistered(
                new BrokerRegistration(
                        id,
                        UUID.randomUUID(),
                        UUID.randomUUID(),
                        List.of(new Endpoint("PLAINTEXT", "PLAINTEXT", "127.0.0.1", port)),
                        null),
                epoch));
    }

    FakeView gone(int id) {
        return apply(new MetadataRecord.BrokerGone(id, 5));
    }

    FakeView apply(MetadataRecord record) {
        view = view.after(view.version() + 1, List.of(record));
        return this;
    }

    @Override
    public ClusterView view() {
        return view;
    }

    @Override
    public int brokerId() {
        return SELF;
    }

    @Override
    public CompletionStage<ClusterView> reached(long version) {
        return CompletableFuture.completedFuture(view);
    }

    @Override
    public CompletionStage<ClusterView> replayed(long version) {
        return CompletableFuture.completedFuture(view);
    }

    @Override
    public Subscription listen(Consumer<ClusterView> listener) {
        listener.accept(view);
        return () -> {};
    }
}
