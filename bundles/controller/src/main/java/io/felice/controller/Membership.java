package io.felice.controller;

import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterStore.LiveRegistration;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.IntSupplier;
import java.util.stream.Collectors;

/**
 * Says which of the registered brokers belong to the cluster: not more than the limit, and only one of those that have
 * the same data directory. Brokers that are in the view are admitted before new ones, and new ones in the order of their
 * registration. Only used on the controller's thread.
 */
final class Membership {
    private final IntSupplier brokersMax;
    private final Set<Long> refusedEpochs = new HashSet<>();

    Membership(IntSupplier brokersMax) {
        this.brokersMax = brokersMax;
    }

    /**
     * @param admitted the brokers that belong to the cluster
     * @param refusals a record for each other broker, written once in a term
     */
    record Admission(List<LiveRegistration> admitted, List<MetadataRecord> refusals) {}

    /** Forgets which refusals were written, because the last term may have ended before they reached the log. */
    void newTerm() {
        refusedEpochs.clear();
    }

    Admission decide(ClusterView view, List<LiveRegistration> registered) {
        List<LiveRegistration> inOrder = registered.stream()
                .sorted(Comparator.comparing((LiveRegistration r) ->
                                !view.brokers().containsKey(r.broker().brokerId()))
                        .thenComparing(LiveRegistration::epoch))
                .toList();
        Map<UUID, LiveRegistration> byStore = new LinkedHashMap<>();
        List<LiveRegistration> others = new ArrayList<>();
        for (LiveRegistration live : inOrder) {
            boolean fits = byStore.size() < brokersMax.getAsInt()
                    && byStore.putIfAbsent(live.broker().storeId(), live) == null;
            if (!fits) {
                others.add(live);
            }
        }
        refusedEpochs.retainAll(others.stream().map(LiveRegistration::epoch).toList());
        return new Admission(
                List.copyOf(byStore.values()),
                others.stream()
                        .filter(other -> refusedEpochs.add(other.epoch()))
                        .map(other -> refusal(
                                other.broker(), byStore.get(other.broker().storeId())))
                        .toList());
    }

    /** @param same the broker that has the same data directory; null if there are too many brokers */
    private MetadataRecord refusal(BrokerRegistration broker, LiveRegistration same) {
        String why = same == null
                ? "the cluster has " + brokersMax.getAsInt() + " brokers, and may have no more (brokers.max in"
                        + " io.felice.controller.cfg)."
                : "its data directory is a copy of the one of broker " + address(same)
                        + ", and two brokers with the same records and the same identity would harm both. Give this node"
                        + " an empty data directory.";
        return new MetadataRecord.BrokerRefused(
                broker.brokerId(), broker.incarnation(), "Broker " + broker.brokerId() + " is not admitted: " + why);
    }

    private static String address(LiveRegistration live) {
        return live.broker().brokerId()
                + live.broker().endpoints().stream()
                        .map(endpoint -> " at " + endpoint.host() + ":" + endpoint.port())
                        .collect(Collectors.joining());
    }
}
