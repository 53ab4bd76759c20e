package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.PartitionState;
import java.util.List;

/**
 * A partition as a client of one listener sees it.
 *
 * @param error why its leader cannot be reached, or NONE
 * @param leader the leader's id, or -1 if the client cannot reach one
 * @param offline replicas on brokers that are away
 */
record SeenPartition(ErrorCode error, int leader, List<Integer> offline) {
    private static final int NO_NODE = -1;

    /** @param nodes as seen from the client's listener */
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
