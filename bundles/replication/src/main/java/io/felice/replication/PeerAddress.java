package io.felice.replication;

import org.apache.kafka.common.Node;
import org.apache.kafka.common.security.auth.SecurityProtocol;

/** Where a broker is reached by other brokers. */
record PeerAddress(Node node, String listener, SecurityProtocol protocol) {
    int brokerId() {
        return node.id();
    }

    @Override
    public String toString() {
        return node.host() + ":" + node.port();
    }
}
