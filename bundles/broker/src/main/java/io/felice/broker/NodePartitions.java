package io.felice.broker;

import io.felice.api.Subscription;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Outcome;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.partition.LeadershipListener;
import io.felice.api.partition.LogDir;
import io.felice.api.partition.LogMove;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partitions;
import io.felice.api.partition.RepeatedFetch;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/** The service through which other bundles reach the partitions of this node. Any thread. */
final class NodePartitions implements Partitions {
    private final PartitionLookup lookup;
    private final Fetches fetches;
    private final Leaderships leaderships;
    private final ProducerIds producerIds;
    private final LogDirs logDirs;
    private final Moves moves;

    NodePartitions(
            PartitionLookup lookup,
            Fetches fetches,
            Leaderships leaderships,
            ProducerIds producerIds,
            LogDirs logDirs,
            Moves moves) {
        this.lookup = lookup;
        this.fetches = fetches;
        this.leaderships = leaderships;
        this.producerIds = producerIds;
        this.logDirs = logDirs;
        this.moves = moves;
    }

    @Override
    public Partition leader(TopicPartition partition) {
        return lookup.leaderOrAwaited(partition);
    }

    @Override
    public CompletionStage<List<FetchedPartition>> fetch(FetchPlan plan) {
        return fetches.fetch(plan);
    }

    @Override
    public RepeatedFetch repeatedFetch() {
        return fetches.repeated();
    }

    @Override
    public CompletionStage<List<LogDir>> logDirs() {
        return logDirs.list();
    }

    @Override
    public CompletionStage<Map<TopicPartition, Outcome<Void>>> move(Map<TopicPartition, String> targets) {
        return moves.move(targets);
    }

    @Override
    public List<LogMove> moves() {
        return moves.list();
    }

    @Override
    public Subscription listen(String topic, LeadershipListener listener) {
        return leaderships.listen(topic, listener);
    }

    @Override
    public CompletionStage<Long> newProducerId() {
        return producerIds.newId();
    }
}
