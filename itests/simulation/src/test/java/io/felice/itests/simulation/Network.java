package io.felice.itests.simulation;

import io.felice.itests.simulation.Timeline.Life;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.function.IntFunction;

/** Carries messages between brokers and clients. It may lose, double, delay and reorder them. */
final class Network {
    /** Stands for all clients. */
    static final int CLIENT = -1;

    private record Way(int from, int to) {}

    private final Timeline timeline;
    private final Random random;
    private final IntFunction<Life> lives;
    private final Set<Way> cut = new HashSet<>();
    private double loss;
    private double doubling;
    private final long calmDelay;
    private long mostDelay;

    /**
     * @param lives the present run of a broker; null if it is down, or is no broker
     * @param delay the longest one of a message while there is no noise, in nanoseconds
     */
    Network(Timeline timeline, Random random, IntFunction<Life> lives, long delay) {
        this.calmDelay = delay;
        this.mostDelay = delay;
        this.timeline = timeline;
        this.random = random;
        this.lives = lives;
    }

    void cut(int from, int to) {
        cut.add(new Way(from, to));
    }

    void heal(int from, int to) {
        cut.remove(new Way(from, to));
    }

    /** @param delay the longest one, in nanoseconds */
    void noise(double lossNow, double doublingNow, long delay) {
        loss = lossNow;
        doubling = doublingNow;
        mostDelay = Math.max(calmDelay, delay);
    }

    void calm() {
        noise(0, 0, calmDelay);
    }

    void healAll() {
        cut.clear();
        calm();
    }

    /** The message is handled by the run of the receiver that is there now, or by none. */
    void send(int from, int to, Runnable message) {
        Life receiver = to == CLIENT ? null : lives.apply(to);
        if (cut.contains(new Way(from, to)) || random.nextDouble() < loss || (to != CLIENT && receiver == null)) {
            return;
        }
        deliver(receiver, message);
        if (random.nextDouble() < doubling) {
            deliver(receiver, message);
        }
    }

    private void deliver(Life receiver, Runnable message) {
        timeline.after(receiver, 1 + (long) (random.nextDouble() * mostDelay), message);
    }
}
