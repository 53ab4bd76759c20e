package io.felice.plugins;

import io.felice.api.plugin.PluginWork;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A change that the keeper does, or will do. */
final class StartedWork implements PluginWork {
    private final CompletableFuture<String> outcome = new CompletableFuture<>();
    private volatile Stage stage = Stage.WAITS;

    @Override
    public Stage stage() {
        return stage;
    }

    @Override
    public CompletionStage<String> outcome() {
        return outcome.minimalCompletionStage();
    }

    void reach(Stage newStage) {
        stage = newStage;
    }

    void succeed(String sentence) {
        stage = Stage.DONE;
        outcome.complete(sentence);
    }

    void fail(Throwable reason) {
        stage = Stage.DONE;
        outcome.completeExceptionally(reason);
    }
}
