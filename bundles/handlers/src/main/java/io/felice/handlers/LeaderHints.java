package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.PartitionState;
import io.felice.protocol.RequestContext;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * The leaders that a produce or fetch response names to a client that asked the wrong broker, so that the client need not
 * ask for metadata first (KIP-951). One per response; not thread-safe. All hints of a response come from one view.
 */
final class LeaderHints {
    private final ClusterMetadata metadata;
    private final RequestContext context;
    private final Set<Integer> located = new HashSet<>();
    private Nodes nodes;

    LeaderHints(ClusterMetadata metadata, RequestContext context) {
        this.metadata = metadata;
        this.context = context;
    }

    /** Whether an error says that another broker leads the partition: then the response names it. */
    static boolean areFor(short error) {
        return error == ErrorCode.NOT_LEADER_OR_FOLLOWER.code() || error == ErrorCode.FENCED_LEADER_EPOCH.code();
    }

    /**
     * Names the leader of a partition.
     *
     * @param leader gets the leader's broker id and its epoch, if the partition has a leader
     * @param address gets the leader's address, once in a response however many partitions it leads
     */
    void add(TopicPartition partition, BiConsumer<Integer, Integer> leader, Consumer<Nodes.Node> address) {
        nodes = nodes == null ? Nodes.of(metadata, context) : nodes;
        Optional<PartitionState> led = nodes.led(partition);
        if (led.isPresent()) {
            int id = led.get().leader();
            leader.accept(id, led.get().leaderEpoch());
            nodes.node(id).filter(node -> located.add(id)).ifPresent(address);
        }
    }
}
