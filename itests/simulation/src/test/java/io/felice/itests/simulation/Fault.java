package io.felice.itests.simulation;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Something that goes wrong, or is done to the cluster, at a step.
 *
 * @param step when it begins
 * @param node whom it hits; one of the nodes, counted from 0
 * @param other a second node, where the kind needs one
 * @param steps how long it lasts
 * @param amount a number from 0 to 99 whose meaning depends on the kind
 */
record Fault(Kind kind, int step, int node, int other, int steps, int amount) {
    enum Kind {
        /** The process is killed, and starts again after some steps. The store may know of it at once. */
        CRASH,
        /** As CRASH, and the broker comes back before its session has ended. */
        BOUNCE,
        /** The process stands still, and goes on later without knowing. */
        PAUSE,
        /** No message comes from one node to the other. */
        CUT_ONE_WAY,
        CUT_BOTH_WAYS,
        /** A node reaches no other node, but clients and the store. */
        ISOLATE,
        CUT_FROM_CLIENTS,
        CUT_FROM_STORE,
        /** Messages are lost, doubled, late and out of order. */
        NOISE,
        SLOW_DISK,
        /** The wall clock is set forward or back. */
        CLOCK_JUMP,
        /** The broker reads the metadata late. */
        SLOW_BROKER,
        /** The process is killed and its disk is replaced by an empty one. */
        EMPTIED_DISK,
        /** An operator stops the broker and starts it again. */
        RESTART,
        /** The controller loses its term. */
        OTHER_CONTROLLER,
        /** The session ends although the broker goes on. */
        EXPIRED_SESSION,
        ELECT_PREFERRED,
        /** An operator elects leaders uncleanly where there are none. */
        ELECT_UNCLEAN,
        /** The machine of one broker has no power, and what was not flushed may be gone. */
        POWER_LOST,
        /** The same for all machines at once. */
        POWER_LOST_EVERYWHERE,
        /** An operator moves a partition to other replicas. */
        REASSIGN,
        CANCEL_REASSIGNMENT,
        /** An operator lets the leadership of a partition go from replica to replica. */
        LEADER_MOVED
    }

    /** Some kinds only, often at nearly the same time: what goes wrong together finds more than what goes wrong alone. */
    static List<Fault> random(Random random, int nodes, int steps, int count) {
        List<Kind> kinds = new ArrayList<>(List.of(Kind.values()));
        Collections.shuffle(kinds, random);
        return random(random, nodes, steps, count, kinds.subList(0, 2 + random.nextInt(5)));
    }

    static List<Fault> random(Random random, int nodes, int steps, int count, List<Kind> some) {
        List<Fault> faults = new ArrayList<>();
        int step = 0;
        for (int i = 0; i < count; i++) {
            boolean isSoon = i > 0 && random.nextInt(5) < 3;
            step = isSoon ? Math.min(steps - 5, step + random.nextInt(8)) : 5 + random.nextInt(steps - 10);
            int node = random.nextInt(nodes);
            int other = (node + 1 + random.nextInt(nodes - 1)) % nodes;
            int lasts = 1 + random.nextInt(random.nextInt(3) == 0 ? 60 : 15);
            faults.add(new Fault(some.get(random.nextInt(some.size())), step, node, other, lasts, random.nextInt(100)));
        }
        return faults;
    }

    @Override
    public String toString() {
        return "step " + step + ": " + kind + " of broker " + node
                + (kind == Kind.CUT_ONE_WAY || kind == Kind.CUT_BOTH_WAYS ? " and " + other : "") + " for " + steps
                + " steps (" + amount + ")";
    }
}
