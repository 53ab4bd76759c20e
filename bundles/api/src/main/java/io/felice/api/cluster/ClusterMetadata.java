package io.felice.api.cluster;

import io.felice.api.Subscription;
import io.felice.api.cluster.Admin.Decided;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.osgi.annotation.versioning.ProviderType;

/** The cluster as this broker has replayed it. From any thread; nothing blocks. */
@ProviderType
public interface ClusterMetadata {
    /** The newest view. */
    ClusterView view();

    /** This node's broker id. */
    int brokerId();

    /**
     * Completes with the first view that has replayed {@code version}, so that who caused a change can answer after it
     * is visible here. Fails with REQUEST_TIMED_OUT if that takes longer than the broker's patience.
     */
    CompletionStage<ClusterView> reached(long version);

    /**
     * Completes with the decision once this broker has replayed it, so that a client that asks this broker next sees the
     * change. If this broker does not see the change in time, the stage completes with the decision all the same: the
     * change is made, and to ask for it again would be an error. Fails only if the decision failed.
     */
    default <K, V> CompletionStage<Decided<K, V>> visible(CompletionStage<Decided<K, V>> decision) {
        return decision.thenCompose(decided -> reached(decided.version()).handle((view, notSeen) -> decided));
    }

    /** Calls {@code listener} with every new view, in order, beginning with the current one, until closed. */
    Subscription listen(Consumer<ClusterView> listener);
}
