package io.felice.itests.simulation;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/** Virtual time. Tasks run one after the other on the caller's thread, in the order of their times. */
final class Timeline {
    static final long MS = 1_000_000;

    /** One run of a broker. Its tasks wait while it is paused, and are dropped once it is dead. */
    static final class Life {
        private final List<Event> held = new ArrayList<>();
        private boolean dead;
        private boolean paused;

        boolean isDead() {
            return dead;
        }

        boolean isPaused() {
            return paused;
        }

        void end() {
            dead = true;
            held.clear();
        }

        void pause() {
            paused = true;
        }
    }

    private record Event(long at, long number, Life life, Runnable task) {}

    private final PriorityQueue<Event> events =
            new PriorityQueue<>(Comparator.comparingLong(Event::at).thenComparingLong(Event::number));
    private long now = MS;
    private long numbers;
    private long ran;

    /** Nanoseconds since the beginning. */
    long now() {
        return now;
    }

    /** How many tasks have run. */
    long ran() {
        return ran;
    }

    /** @param life null for a task of no broker */
    void after(Life life, long nanos, Runnable task) {
        at(life, now + nanos, task);
    }

    void at(Life life, long at, Runnable task) {
        events.add(new Event(Math.max(at, now), numbers++, life, task));
    }

    void resume(Life life) {
        life.paused = false;
        List<Event> held = List.copyOf(life.held);
        life.held.clear();
        held.forEach(event -> at(event.life(), now, event.task()));
    }

    /** Runs all tasks up to this time. */
    void runUntil(long end) {
        while (!events.isEmpty() && events.peek().at() <= end) {
            Event event = events.poll();
            now = event.at();
            run(event);
        }
        now = end;
    }

    private void run(Event event) {
        Life life = event.life();
        if (life != null && life.dead) {
            return;
        }
        if (life != null && life.paused) {
            life.held.add(event);
            return;
        }
        ran++;
        event.task().run();
    }
}
