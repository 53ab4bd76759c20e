package io.felice.api.cluster;

import io.felice.api.Subscription;
import io.felice.api.cluster.Admin.Decided;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.osgi.annotation.versioning.ProviderType;

/** The metadata that this broker has read from the metadata log. Any thread may call the methods; they do not block. */
@ProviderType
public interface ClusterMetadata {
    /** The newest view of this broker. */
    ClusterView view();

    /** The broker id of this node. */
    int brokerId();

    /**
     * Completes when this broker has read {@code version} of the metadata log and has opened the new partitions of that
     * version, so that the caller answers its client only after the change is visible here. Fails with
     * REQUEST_TIMED_OUT after 30 seconds, or if this broker is stopped.
     */
    CompletionStage<ClusterView> reached(long version);

    /**
     * Completes when this broker has read {@code version} of the metadata log: then {@link #view} and the configs in
     * force have it. Unlike {@link #reached} it does not wait for partitions that are being opened. Fails with
     * REQUEST_TIMED_OUT after 5 seconds, or if this broker is stopped.
     */
    CompletionStage<ClusterView> replayed(long version);

    /**
     * Completes with the decision when {@link #reached} completes for its version, so that the client's next request to
     * this broker sees the change. If {@code reached} fails, the stage still completes with the decision: the change is
     * made, and a client that tried again would get an error. The stage fails only if the decision failed.
     */
    default <K, V> CompletionStage<Decided<K, V>> visible(CompletionStage<Decided<K, V>> decision) {
        return decision.thenCompose(decided -> reached(decided.version()).handle((view, notSeen) -> decided));
    }

    /** As {@link #visible}, for changes that open no partitions: waits for {@link #replayed(long)}. */
    default <K, V> CompletionStage<Decided<K, V>> replayed(CompletionStage<Decided<K, V>> decision) {
        return decision.thenCompose(decided -> replayed(decided.version()).handle((view, notSeen) -> decided));
    }

    /**
     * Calls {@code listener} with the current view and then with every new view in order, until the subscription is
     * closed. The calls come on the broker's thread, one at a time; the listener must not block.
     */
    Subscription listen(Consumer<ClusterView> listener);
}
