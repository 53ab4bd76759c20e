package io.felice.broker;

import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchPlan.Want;
import io.felice.api.partition.FetchedPartition;
import io.felice.broker.partition.ReadableRole;
import java.util.ArrayList;
import java.util.List;

/** The partitions of one fetch, all of which each attempt reads. They are watched only while the fetch waits. */
final class SingleFetch implements ReaderSource {
    private final FetchPlan plan;
    private volatile Fetch waiting;

    SingleFetch(FetchPlan plan) {
        this.plan = plan;
    }

    @Override
    public List<PartitionReader> next(List<PartitionReader> readers, Fetch fetch) {
        if (!readers.isEmpty()) {
            return readers;
        }
        List<PartitionReader> all = new ArrayList<>(plan.wants().size());
        for (Want want : plan.wants()) {
            all.add(new PartitionReader(this, want));
        }
        return all;
    }

    @Override
    public void watch(PartitionReader reader, ReadableRole role) {
        // From the moment on in which the fetch waits.
    }

    @Override
    public void waits(Fetch fetch, List<PartitionReader> readers) {
        waiting = fetch;
        for (PartitionReader reader : readers) {
            reader.partition().watch(reader, plan.isReplica());
        }
    }

    @Override
    public void waitsNoLonger(List<PartitionReader> readers) {
        for (PartitionReader reader : readers) {
            reader.partition().unwatch(reader, plan.isReplica());
        }
    }

    @Override
    public List<PartitionReader> changed() {
        return List.of();
    }

    @Override
    public void changed(PartitionReader reader) {
        waiting.changed(reader);
    }

    @Override
    public void answered(Fetch fetch, List<PartitionReader> readers, List<FetchedPartition> answers) {
        // Nothing is remembered of a single fetch.
    }
}
