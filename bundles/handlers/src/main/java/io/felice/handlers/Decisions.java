package io.felice.handlers;

import io.felice.api.FeliceException;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.Outcome;
import io.felice.protocol.RequestContext;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The items of one request that the controller decides, with what becomes of the outcome of each. An item that is wrong
 * gets its error at once, and the controller is not asked about it.
 */
final class Decisions<K, V> {
    private final Map<K, List<Consumer<Outcome<V>>>> answers = new LinkedHashMap<>();

    /** @param item reads an item of the request, and throws if it is wrong; equal items get the same outcome */
    void add(Supplier<K> item, Consumer<Outcome<V>> answer) {
        try {
            answers.computeIfAbsent(item.get(), first -> new ArrayList<>()).add(answer);
        } catch (FeliceException refused) {
            answer.accept(Outcome.failed(refused));
        }
    }

    /** Asks the controller, if there is something to ask. The stage completes when every item has its answer. */
    CompletionStage<Void> make(Function<List<K>, CompletionStage<Decided<K, V>>> ask, RequestContext context) {
        if (answers.isEmpty()) {
            return CompletableFuture.completedFuture(null);
        }
        return ask.apply(List.copyOf(answers.keySet())).handle((decided, failure) -> {
            answers.forEach((item, all) -> {
                Outcome<V> outcome = failure == null
                        ? decided.outcomes().get(item)
                        : Outcome.failed(Failures.ofController(failure, context), Failures.messageOf(failure));
                all.forEach(answer -> answer.accept(outcome));
            });
            return null;
        });
    }
}
