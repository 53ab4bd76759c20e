package io.felice.shell;

import io.felice.api.FeliceException;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.ClusterMetadata;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Waits until a change of the cluster's metadata is made and visible on this node. */
final class ClusterChange {
    private static final int PATIENCE_SECONDS = 60;

    private ClusterChange() {}

    /**
     * The values of the items.
     *
     * @throws IllegalArgumentException with the sentence of the first item that was refused
     */
    static <K, V> Map<K, V> await(ClusterMetadata metadata, CompletionStage<Decided<K, V>> decision) throws Exception {
        Decided<K, V> decided = get(
                decision.thenCompose(made -> metadata.replayed(made.version()).handle((view, notSeen) -> made)));
        Map<K, V> values = new HashMap<>();
        decided.outcomes().forEach((item, outcome) -> {
            if (outcome.isFailed()) {
                throw new IllegalArgumentException(outcome.message());
            }
            values.put(item, outcome.value());
        });
        return values;
    }

    static <T> T get(CompletionStage<T> stage) throws Exception {
        try {
            return stage.toCompletableFuture().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException failure) {
            throw FeliceException.unwrap(failure) instanceof FeliceException expected ? expected : failure;
        } catch (TimeoutException late) {
            throw new IllegalStateException(
                    "The controller does not answer. Whether the change is made is not known: list to see it", late);
        }
    }
}
