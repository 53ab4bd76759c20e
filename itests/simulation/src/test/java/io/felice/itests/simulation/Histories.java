package io.felice.itests.simulation;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/** Runs many histories on two threads, and shortens those that break an invariant. */
final class Histories {
    private static final int THREADS = Integer.getInteger("felice.simulation.threads", 2);
    private static final int MOST_TOLD = 60;
    private static final int MOST_FAILURES = 3;

    private final Supplier<Seams> seams;

    Histories(Supplier<Seams> seams) {
        this.seams = seams;
    }

    /** A history that broke an invariant, with the faults without which it would not. */
    record Failure(long seed, String what, List<Fault> faults, List<String> history) {
        @Override
        public String toString() {
            StringBuilder text = new StringBuilder("seed " + seed + ": " + what + "\nAfter these faults:\n");
            faults.forEach(fault -> text.append("  ").append(fault).append('\n'));
            text.append("The history ends:\n");
            history.subList(Math.max(0, history.size() - MOST_TOLD), history.size())
                    .forEach(line -> text.append("  ").append(line).append('\n'));
            return text.append("Repeat with -Dfelice.seed=")
                    .append(seed)
                    .append(" -Dfelice.seeds=1")
                    .toString();
        }
    }

    record Found(long seeds, long millis, ClusterSimulation.Counts counts, List<Failure> failures) {
        String explained() {
            StringBuilder all = new StringBuilder(failures.size() + " histories break an invariant");
            failures.stream().limit(5).forEach(failure -> all.append("\n\n").append(failure));
            return all.toString();
        }

        @Override
        public String toString() {
            return seeds + " histories in " + millis / 1_000 + " s, " + failures.size() + " broke an invariant; "
                    + counts.faults + " faults (" + counts.skipped + " were not possible), " + counts.elections
                    + " elections, " + counts.unclean + " of them unclean, " + counts.inSyncChanges
                    + " changes of in-sync sets, " + counts.metadata + " changes of the metadata, " + counts.batches
                    + " batches committed, " + counts.acknowledged + " acknowledged to acks=all, " + counts.read
                    + " read, " + counts.offsetsCommitted + " offsets of groups committed and " + counts.offsetsFetched
                    + " read, " + counts.compactions + " logs compacted, " + counts.tasks
                    + " tasks; the longest recovery took " + counts.recoveryMs
                    + " ms of virtual time";
        }
    }

    /** Runs these seeds in order, until three have failed or the time is over. */
    Found run(long first, long count, long mostMillis) throws InterruptedException {
        long begun = System.currentTimeMillis();
        AtomicLong next = new AtomicLong(first);
        AtomicLong ran = new AtomicLong();
        AtomicBoolean enough = new AtomicBoolean();
        ClusterSimulation.Counts counts = new ClusterSimulation.Counts();
        List<Failure> failures = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            Thread thread = new Thread(() -> {
                for (long seed = next.getAndIncrement();
                        seed < first + count && !enough.get();
                        seed = next.getAndIncrement()) {
                    run(seed, counts, failures);
                    ran.incrementAndGet();
                    synchronized (failures) {
                        enough.compareAndSet(
                                false,
                                failures.size() >= MOST_FAILURES || System.currentTimeMillis() - begun > mostMillis);
                    }
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        return new Found(ran.get(), System.currentTimeMillis() - begun, counts, List.copyOf(failures));
    }

    private void run(long seed, ClusterSimulation.Counts counts, List<Failure> failures) {
        ClusterSimulation simulation = new ClusterSimulation(seed, ClusterSimulation.faultsOf(seed), seams.get());
        String what = outcome(simulation);
        synchronized (failures) {
            counts.add(simulation.counts());
        }
        if (what != null) {
            Failure shortened = shortened(seed, what, simulation.history());
            synchronized (failures) {
                failures.add(shortened);
            }
        }
    }

    /** Null if all invariants hold. */
    static String outcome(ClusterSimulation simulation) {
        try {
            simulation.run();
            return null;
        } catch (Violation violation) {
            return violation.getMessage();
        } catch (RuntimeException | Error accident) {
            StringWriter stack = new StringWriter();
            accident.printStackTrace(new PrintWriter(stack));
            return stack.toString();
        }
    }

    /** Leaves out faults as long as the history breaks an invariant without them. */
    private Failure shortened(long seed, String what, List<String> history) {
        List<Fault> left = ClusterSimulation.faultsOf(seed);
        Failure shortest = new Failure(seed, what, left, history);
        for (int size = Math.max(1, left.size() / 2); size >= 1; size = size / 2) {
            for (int at = 0; at < left.size(); ) {
                List<Fault> fewer = new ArrayList<>(left);
                fewer.subList(at, Math.min(left.size(), at + size)).clear();
                ClusterSimulation again = new ClusterSimulation(seed, fewer, seams.get());
                String outcome = outcome(again);
                if (outcome == null) {
                    at += size;
                } else {
                    left = fewer;
                    shortest = new Failure(seed, outcome, left, again.history());
                }
            }
        }
        return shortest;
    }
}
