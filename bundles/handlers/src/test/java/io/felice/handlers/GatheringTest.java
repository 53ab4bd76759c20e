package io.felice.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Answers that are filled item by item, and deadlines. */
class GatheringTest {
    @Test
    void anAnswerWithoutItemsIsDoneAtOnce() {
        assertThat(new Gathering<>("answer").begun()).isCompletedWithValue("answer");
    }

    @Test
    void anAnswerIsDoneWhenItsLastItemIs() {
        CompletableFuture<String> first = new CompletableFuture<>();
        CompletableFuture<String> second = new CompletableFuture<>();
        StringBuilder filled = new StringBuilder();
        Gathering<String> answer = new Gathering<>("answer");
        answer.item(() -> first, (value, failure) -> filled.append(value));
        answer.item(() -> second, (value, failure) -> filled.append(failure == null));
        answer.begun();

        second.completeExceptionally(new IllegalStateException());
        assertThat(answer).isNotDone();
        first.complete("first");

        assertThat(answer).isCompletedWithValue("answer");
        assertThat(filled).hasToString("falsefirst");
    }

    @Test
    void anItemThatCannotBeFilledFailsTheAnswer() {
        Gathering<String> answer = new Gathering<>("answer");
        answer.item(() -> CompletableFuture.completedFuture(1), (value, failure) -> {
            throw new IllegalStateException("broken");
        });
        answer.begun();

        assertThat(answer).isCompletedExceptionally();
    }

    @Test
    void waitingEndsInTimeAndTheThreadWithTheTimer() throws Exception {
        Deadlines deadlines = new Deadlines();
        CompletionStage<String> late = deadlines.within(10, new CompletableFuture<>());
        CompletionStage<String> done = deadlines.within(60_000, CompletableFuture.completedFuture("done"));

        assertThatThrownBy(() -> late.toCompletableFuture().get(10, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .satisfies(
                        failure -> assertThat(FeliceException.codeOf(failure)).isEqualTo(ErrorCode.REQUEST_TIMED_OUT));
        assertThat(done.toCompletableFuture()).isCompletedWithValue("done");

        deadlines.close();

        await().until(() -> Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().equals("felice-handlers-deadlines")));
        assertThat(deadlines.within(10, new CompletableFuture<>()).toCompletableFuture())
                .isNotDone();
    }
}
