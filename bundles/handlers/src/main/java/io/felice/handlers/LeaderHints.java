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
 * The current leaders that a produce or fetch response names when the client asked a broker that does not lead the
 * partition. The client then needs no Metadata request (KIP-951). One object per response; not thread-safe. All hints
 * of a response come from one view.
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

    /** Whether the error means that another broker leads the partition, so that the response names that broker. */
    static boolean areFor(short error) {
        return error == ErrorCode.NOT_LEADER_OR_FOLLOWER.code() || error == ErrorCode.FENCED_LEADER_EPOCH.code();
    }

    /**
     * Adds the leader of a partition to the response.
     *
     * @param leader receives the leader's broker id and leader epoch, if the partition has a leader
     * @param address receives the leader's address, once per response even if it leads several partitions
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
