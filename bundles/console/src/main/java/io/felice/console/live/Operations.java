package io.felice.console.live;

import java.time.Clock;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Actions that take a while and were begun here, the newest first. The last ones are kept after their end. Any thread. */
public final class Operations {
    private static final int MOST = 200;

    private final Clock clock;
    private final AtomicLong numbers = new AtomicLong();
    private final Deque<Running> all = new ArrayDeque<>();
    private final List<Consumer<Operation>> listeners = new CopyOnWriteArrayList<>();

    public Operations(Clock clock) {
        this.clock = clock;
    }

    /** An action as the API shows it. What is not known is null. */
    public record Operation(
            String id,
            String kind,
            String title,
            String state,
            Instant startedAt,
            String by,
            String sentence,
            boolean cancellable,
            Double percent,
            Double rate,
            Double secondsLeft,
            Instant endedAt,
            String subject) {}

    private final class Running {
        final String id = Long.toString(numbers.incrementAndGet());
        final String kind;
        final String title;
        final String by;
        final String subject;
        final Instant startedAt = clock.instant();
        final Supplier<String> stage;
        volatile String outcome;
        volatile String state = "running";
        volatile Instant endedAt;

        Running(String kind, String title, String by, String subject, Supplier<String> stage) {
            this.kind = kind;
            this.title = title;
            this.by = by;
            this.subject = subject;
            this.stage = stage;
        }

        void end(String how, String sentence) {
            outcome = sentence;
            endedAt = clock.instant();
            state = how;
            listeners.forEach(listener -> listener.accept(shown()));
        }

        Operation shown() {
            return new Operation(
                    id,
                    kind,
                    title,
                    state,
                    startedAt,
                    by,
                    outcome == null ? stage.get() : outcome,
                    false,
                    null,
                    null,
                    null,
                    endedAt,
                    subject);
        }
    }

    /**
     * Begins to show an action.
     *
     * @param stage what it does now, in words
     * @param outcome completes with a sentence
     */
    public Operation begin(
            String kind,
            String title,
            String by,
            String subject,
            Supplier<String> stage,
            CompletionStage<String> outcome) {
        Running running = new Running(kind, title, by, subject, stage);
        synchronized (all) {
            all.addFirst(running);
            while (all.size() > MOST) {
                all.removeLast();
            }
        }
        outcome.whenComplete((sentence, failure) -> {
            if (failure == null) {
                running.end("done", sentence);
            } else {
                running.end("failed", io.felice.console.http.Problem.of(failure).getMessage());
            }
        });
        Operation begun = running.shown();
        listeners.forEach(listener -> listener.accept(begun));
        return begun;
    }

    public List<Operation> list() {
        synchronized (all) {
            return new ArrayList<>(all.stream().map(Running::shown).toList());
        }
    }

    public Optional<Operation> find(String id) {
        return list().stream().filter(each -> each.id().equals(id)).findFirst();
    }

    /** Calls the listener when an action begins or ends. */
    public void listen(Consumer<Operation> listener) {
        listeners.add(listener);
    }
}
