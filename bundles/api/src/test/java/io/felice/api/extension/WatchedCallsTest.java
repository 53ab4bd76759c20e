package io.felice.api.extension;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Calls of an extension have limits in time and number. */
class WatchedCallsTest {
    private static final int PLENTY_MS = 60_000;

    private final AtomicLong now = new AtomicLong();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final CountDownLatch end = new CountDownLatch(1);
    private final WatchedCalls calls =
            new WatchedCalls("engine x", "org.example.X of bundle org.example 1.0.0", timer, now::get);

    @AfterEach
    void stop() {
        end.countDown();
        calls.close();
        timer.shutdownNow();
    }

    private CompletableFuture<Object> hanging(int limitMs) {
        return calls.call("open()", limitMs, () -> {
            end.await();
            return "late";
        });
    }

    private static Throwable failure(CompletableFuture<?> call) {
        try {
            throw new AssertionError(call.orTimeout(60, TimeUnit.SECONDS).join());
        } catch (CompletionException failed) {
            return failed.getCause();
        }
    }

    private static void assertNotAnswered(CompletableFuture<?> call, String why) {
        assertThat(failure(call))
                .isInstanceOfSatisfying(FeliceException.class, refusal -> assertThat(refusal.code())
                        .isEqualTo(ErrorCode.REQUEST_TIMED_OUT))
                .hasMessageContaining(why);
    }

    @Test
    void onlySoManyCallsAreOpen() {
        List<CompletableFuture<Object>> open = new ArrayList<>();
        for (int i = 0; i < WatchedCalls.MOST_OPEN; i++) {
            open.add(hanging(PLENTY_MS));
        }
        assertNotAnswered(hanging(PLENTY_MS), "has too many calls");
        assertThat(calls.counted().open()).isEqualTo(WatchedCalls.MOST_OPEN);

        end.countDown();

        open.forEach(
                call -> assertThat(call.orTimeout(60, TimeUnit.SECONDS).join()).isEqualTo("late"));
        assertThat(calls.counted().open()).isZero();
        assertThat(calls.call("open()", PLENTY_MS, () -> "again").join()).isEqualTo("again");
    }

    @Test
    void anExtensionThatHangsIsNotCalledForAWhile() {
        List<CompletableFuture<Object>> open = new ArrayList<>();
        for (int i = 0; i < 2 * WatchedCalls.FAILURES_IN_A_ROW; i++) {
            open.add(hanging(50));
        }
        open.forEach(call -> assertNotAnswered(call, "has not answered open() within 50 ms"));
        assertThat(calls.isPaused()).isTrue();
        assertNotAnswered(hanging(PLENTY_MS), "has failed too often");

        end.countDown();
        now.addAndGet(TimeUnit.MILLISECONDS.toNanos(WatchedCalls.PAUSE_MS));

        assertThat(calls.call("open()", PLENTY_MS, () -> "again").join()).isEqualTo("again");
        assertThat(calls.isPaused()).isFalse();
    }

    @Test
    void callsThatWaitedBehindOthersAreNoFailuresOfTheExtension() {
        CountDownLatch first = new CountDownLatch(1);
        AtomicInteger begun = new AtomicInteger();
        List<CompletableFuture<Object>> slow = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            slow.add(calls.call("open()", PLENTY_MS, () -> {
                (begun.incrementAndGet() == 1 ? first : end).await();
                return "slow";
            }));
        }
        List<CompletableFuture<Object>> waiting = new ArrayList<>();
        for (int i = 0; i < 2 * WatchedCalls.FAILURES_IN_A_ROW; i++) {
            waiting.add(hanging(2_000));
        }

        first.countDown();

        waiting.forEach(call -> assertNotAnswered(call, "has not answered"));
        assertThat(calls.isPaused()).isFalse();
        end.countDown();
        slow.forEach(call -> call.orTimeout(60, TimeUnit.SECONDS).join());
    }

    @Test
    void aFailureInBetweenDoesNotCount() {
        for (int i = 0; i < 5 * WatchedCalls.FAILURES_IN_A_ROW; i++) {
            boolean fails = i % WatchedCalls.FAILURES_IN_A_ROW != 0;
            CompletableFuture<String> call = calls.call("open()", PLENTY_MS, () -> {
                if (fails) {
                    throw new IllegalStateException("broken");
                }
                return "fine";
            });
            if (fails) {
                assertThat(failure(call)).hasMessage("broken");
            } else {
                assertThat(call.join()).isEqualTo("fine");
            }
        }
        assertThat(calls.isPaused()).isFalse();
    }

    @Test
    void aRefusalIsAnAnswer() {
        for (int i = 0; i < 2 * WatchedCalls.FAILURES_IN_A_ROW; i++) {
            assertThat(failure(calls.call("open()", PLENTY_MS, () -> {
                        throw ErrorCode.SASL_AUTHENTICATION_FAILED.because("no");
                    })))
                    .hasMessage("no");
        }
        assertThat(calls.isPaused()).isFalse();
    }

    @Test
    void theLimitHoldsUntilTheExtensionsStageIsComplete() {
        CompletableFuture<String> never = new CompletableFuture<>();
        assertNotAnswered(calls.ask("open()", 50, () -> never), "has not answered");
        never.complete("late");
        assertThat(calls.counted().open()).isZero();
    }

    @Test
    void anExtensionThatGoesFailsItsOpenCalls() {
        CompletableFuture<Object> open = hanging(PLENTY_MS);
        calls.close();
        assertNotAnswered(open, "has gone");
        assertNotAnswered(hanging(PLENTY_MS), "has gone");
        end.countDown();
        await().until(() -> calls.counted().busyThreads() == 0);
    }

    @Test
    void aCallThatDoesNotComeBackIsShownWithItsThreadAndItsPlace() {
        assertThat(calls.hanging()).isEmpty();

        assertNotAnswered(hanging(50), "has not answered open() within 50 ms");
        now.addAndGet(TimeUnit.SECONDS.toNanos(7));

        assertThat(calls.hanging()).hasValueSatisfying(call -> assertThat(call)
                .startsWith("open() runs for 7 s in the thread felice-engine-x, at ")
                .contains(WatchedCallsTest.class.getName()));
        end.countDown();
        await().until(() -> calls.hanging().isEmpty());
    }

    @Test
    void aCallOnTheCallersThreadIsShownAndCountedWhenItIsLate() {
        WatchedCalls.Running call = calls.begin("append()", 1_000);
        assertThat(call.hanging()).isEmpty();

        now.addAndGet(TimeUnit.SECONDS.toNanos(3));
        calls.look();
        calls.look();

        assertThat(call.hanging()).isEqualTo(calls.hanging()).hasValueSatisfying(where -> assertThat(where)
                .startsWith("append() runs for 3 s in the thread "
                        + Thread.currentThread().getName()));
        assertThat(calls.counted().late()).isEqualTo(1);
        call.ended(null);
        assertThat(calls.hanging()).isEmpty();
        assertThat(calls.counted().late()).isEqualTo(1);
        assertThat(calls.counted().failures()).isZero();
    }

    @Test
    void aStageThatIsNotCompleteInTimeIsShown() {
        CompletableFuture<Void> settled = new CompletableFuture<>();
        calls.awaiting("settle()", 1_000, settled);

        now.addAndGet(TimeUnit.SECONDS.toNanos(3));

        assertThat(calls.hanging()).hasValue("settle() has not completed for 3 s");
        settled.complete(null);
        assertThat(calls.hanging()).isEmpty();
    }
}
