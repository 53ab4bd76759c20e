package io.felice.handlers;

import io.felice.api.TopicPartition;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.PartitionState;
import io.felice.protocol.RequestContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The brokers' addresses for clients of one listener, and the leaders of partitions for leader hints (KIP-951). */
record Nodes(ClusterView view, String listener) {
    static Nodes of(ClusterMetadata metadata, RequestContext context) {
        return new Nodes(metadata.view(), context.connection().listener());
    }

    record Node(int id, String host, int port, String rack) {}

    /** The live brokers that have this listener, ordered by broker id. */
    List<Node> nodes() {
        List<Node> nodes = new ArrayList<>(view.brokers().size());
        for (ClusterView.LiveBroker live : view.brokers().values()) {
            node(live.registration()).ifPresent(nodes::add);
        }
        return nodes;
    }

    Optional<Node> node(int brokerId) {
        return view.broker(brokerId).flatMap(live -> node(live.registration()));
    }

    /** Whether the broker is alive, even if it does not have this listener. */
    boolean isAlive(int brokerId) {
        return view.broker(brokerId).isPresent();
    }

    private Optional<Node> node(BrokerRegistration broker) {
        return broker.endpoint(listener).map(at -> new Node(broker.brokerId(), at.host(), at.port(), broker.rack()));
    }

    /** The partition's state. Empty if the partition does not exist or has no leader. */
    Optional<PartitionState> led(TopicPartition partition) {
        return view.topic(partition.topic())
                .flatMap(topic -> topic.partition(partition.partition()))
                .filter(PartitionState::hasLeader);
    }
}
