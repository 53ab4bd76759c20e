package io.felice.itests.simulation;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.group.Groups.OffsetToCommit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/**
 * A consumer that commits offsets of one partition for its group, each larger than the one before, reads them and sometimes
 * deletes them. It does one thing at a time, and closes the connection of a request that it gives up.
 */
final class SimulatedGroup {
    private static final long PATIENCE = 1_000 * Timeline.MS;
    private static final int ONE_IN_DELETES = 12;

    private final ClusterSimulation cluster;
    private final String group;
    private final TopicPartition partition;
    private final Random random;
    private long offset;
    private long floor = -1;
    private long committed;
    private long fetched;
    /** The number of the request that is under way; an answer to an earlier one is not read. */
    private long request;

    private boolean isBusy;

    SimulatedGroup(ClusterSimulation cluster, String group, TopicPartition partition, Random random) {
        this.cluster = cluster;
        this.group = group;
        this.partition = partition;
        this.random = random;
    }

    long committed() {
        return committed;
    }

    long fetched() {
        return fetched;
    }

    /** Begins the next request if the last one has ended. */
    void goOn() {
        if (isBusy) {
            return;
        }
        isBusy = true;
        long mine = ++request;
        int to = cluster.coordinatorAsShownBy(cluster.node(random.nextInt(cluster.size())));
        int what = random.nextInt(ONE_IN_DELETES);
        if (what == 0) {
            floor = -1;
            ask(mine, to, this::delete);
        } else if (what < 4) {
            long least = floor;
            ask(mine, to, (number, there) -> fetch(number, there, least));
        } else {
            long next = ++offset;
            ask(mine, to, (number, there) -> commit(number, there, next));
        }
        cluster.timeline().after(null, PATIENCE, () -> ended(mine));
    }

    private interface Question {
        void ask(long mine, SimulatedNode there);
    }

    private void ask(long mine, int to, Question question) {
        cluster.network().send(Network.CLIENT, to, () -> {
            SimulatedNode there = cluster.node(to);
            if (mine == request && isBusy && there.groups() != null) {
                question.ask(mine, there);
            }
        });
    }

    private void commit(long mine, SimulatedNode there, long next) {
        there.groups()
                .commit(group, -1, "", null, Map.of(partition, new OffsetToCommit(next, -1, "", -1)))
                .whenComplete((outcomes, failure) -> {
                    boolean isCommitted = failure == null && outcomes.get(partition) == ErrorCode.NONE;
                    if (isCommitted) {
                        cluster.committedOffset(group, partition, next);
                    }
                    answer(mine, there, () -> {
                        if (isCommitted) {
                            floor = next;
                            committed++;
                        }
                    });
                });
    }

    private void fetch(long mine, SimulatedNode there, long least) {
        there.groups()
                .fetchOffsets(group, Optional.of(List.of(partition)), true)
                .whenComplete((found, failure) -> {
                    boolean isFound = failure == null && found.error() == ErrorCode.NONE;
                    if (isFound && cluster.isPresentCoordinator(there)) {
                        long here = found.offsets().get(partition).offset();
                        if (here < least) {
                            cluster.violated(new Violation("Group " + group + " has committed offset " + least + " of "
                                    + partition + ", and broker " + there.id() + " gives " + here));
                        }
                    }
                    answer(mine, there, () -> fetched += isFound ? 1 : 0);
                });
    }

    private void delete(long mine, SimulatedNode there) {
        there.groups()
                .deleteOffsets(group, Set.of(partition))
                .whenComplete((deleted, failure) -> answer(mine, there, () -> {}));
    }

    private void answer(long mine, SimulatedNode there, Runnable read) {
        cluster.network().send(there.id(), Network.CLIENT, () -> {
            if (mine == request && isBusy) {
                read.run();
                ended(mine);
            }
        });
    }

    private void ended(long mine) {
        if (mine == request) {
            isBusy = false;
        }
    }
}
