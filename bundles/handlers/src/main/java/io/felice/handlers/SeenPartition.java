package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.PartitionState;
import java.util.List;

/**
 * A partition as the Metadata response shows it to a client of one listener.
 *
 * @param error why the client cannot reach the leader, or NONE
 * @param leader the leader's broker id, or -1 if the client cannot reach a leader
 * @param offline the replicas on brokers that are not alive
 */
record SeenPartition(ErrorCode error, int leader, List<Integer> offline) {
    private static final int NO_NODE = -1;

    /** @param nodes the brokers with their addresses at the client's listener */
    static SeenPartition of(PartitionState state, Nodes nodes) {
        List<Integer> offline =
                state.replicas().stream().filter(id -> !nodes.isAlive(id)).toList();
        if (nodes.node(state.leader()).isPresent()) {
            return new SeenPartition(ErrorCode.NONE, state.leader(), offline);
        }
        ErrorCode error = nodes.isAlive(state.leader()) ? ErrorCode.LISTENER_NOT_FOUND : ErrorCode.LEADER_NOT_AVAILABLE;
        return new SeenPartition(error, NO_NODE, offline);
    }
}
