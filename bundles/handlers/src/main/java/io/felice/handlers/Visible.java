package io.felice.handlers;

import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.ClusterMetadata;
import java.util.concurrent.CompletionStage;

/**
 * Changes of the cluster are answered when they are visible here: who asks next sees them. What is decided is told as
 * decided even if this broker cannot see it, as when it goes: to ask for it again would be an error.
 */
final class Visible {
    private Visible() {}

    static <K, V> CompletionStage<Decided<K, V>> at(ClusterMetadata metadata, CompletionStage<Decided<K, V>> decided) {
        return decided.thenCompose(done -> metadata.reached(done.version()).handle((view, notSeen) -> done));
    }
}
