package io.felice.replication;

import static io.felice.api.ErrorCode.BROKER_NOT_AVAILABLE;

import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.BrokerRegistration.Endpoint;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.ClusterView.LiveBroker;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.security.auth.SecurityProtocol;

/** Finds in the cluster's view where a broker is reached by this one. Any thread. */
final class PeerAddresses {
    private final ClusterMetadata metadata;
    private final Supplier<PeerSettings> settings;
    /** The listener of the last view that had this broker: it stays in use while this broker is not registered. */
    private volatile String lastListener;

    PeerAddresses(ClusterMetadata metadata, Supplier<PeerSettings> settings) {
        this.metadata = metadata;
        this.settings = settings;
    }

    /** @throws io.felice.api.FeliceException BROKER_NOT_AVAILABLE with a sentence if the broker has no address for this one */
    PeerAddress of(int brokerId) {
        ClusterView view = metadata.view();
        BrokerRegistration peer = view.broker(brokerId)
                .map(LiveBroker::registration)
                .orElseThrow(() -> BROKER_NOT_AVAILABLE.because("Broker " + brokerId + " is not in the cluster now"));
        String listener = listener(view);
        Endpoint endpoint = peer.endpoint(listener)
                .orElseThrow(() -> BROKER_NOT_AVAILABLE.because("Broker " + brokerId + " has no listener " + listener
                        + ", which is the one for brokers on this broker (inter.broker.listener.name)"));
        return new PeerAddress(
                new Node(brokerId, endpoint.host(), endpoint.port()),
                listener,
                SecurityProtocol.forName(endpoint.securityProtocol()));
    }

    /** The id of the cluster; null before it has one. */
    String clusterId() {
        return metadata.view().clusterId().orElse(null);
    }

    private String listener(ClusterView view) {
        if (!settings.get().listener().isEmpty()) {
            return settings.get().listener();
        }
        Optional<String> own = view.broker(metadata.brokerId())
                .flatMap(broker -> ofChoice(broker.registration().endpoints()));
        own.ifPresent(name -> lastListener = name);
        if (lastListener == null) {
            throw BROKER_NOT_AVAILABLE.because("This broker is not registered in the cluster yet");
        }
        return lastListener;
    }

    private static Optional<String> ofChoice(List<Endpoint> endpoints) {
        return endpoints.stream()
                .filter(endpoint -> endpoint.securityProtocol().equals("PLAINTEXT"))
                .findFirst()
                .or(() -> endpoints.stream().findFirst())
                .map(Endpoint::listener);
    }
}
