package io.felice.controller;

import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterStore.LiveRegistration;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Limits the number of brokers in the cluster. Brokers that are in the view are admitted before new ones, and new ones
 * in the order of their registration. Only used on the controller's thread.
 */
final class Membership {
    private final int brokersMax;
    private final Set<Long> refusedEpochs = new HashSet<>();

    Membership(int brokersMax) {
        this.brokersMax = brokersMax;
    }

    /**
     * Admits one broker. As long as nothing replicates, a second broker would count as an in-sync replica without
     * having the records.
     */
    static Membership ofOneBroker() {
        return new Membership(1);
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
        List<LiveRegistration> admitted = inOrder.subList(0, Math.min(brokersMax, inOrder.size()));
        List<LiveRegistration> others = inOrder.subList(admitted.size(), inOrder.size());
        refusedEpochs.retainAll(others.stream().map(LiveRegistration::epoch).toList());
        return new Admission(
                admitted,
                others.stream()
                        .filter(other -> refusedEpochs.add(other.epoch()))
                        .map(other -> refusal(other.broker(), admitted))
                        .toList());
    }

    private static MetadataRecord refusal(BrokerRegistration broker, List<LiveRegistration> admitted) {
        String members = admitted.stream().map(Membership::address).collect(Collectors.joining(", "));
        return new MetadataRecord.BrokerRefused(
                broker.brokerId(),
                broker.incarnation(),
                "Broker " + broker.brokerId() + " is not admitted: the cluster in this ZooKeeper has broker " + members
                        + " already, and this version of Felice runs one broker per cluster. Give this node a ZooKeeper"
                        + " of its own, or another root in io.felice.cluster.zookeeper.cfg.");
    }

    private static String address(LiveRegistration live) {
        return live.broker().brokerId()
                + live.broker().endpoints().stream()
                        .map(endpoint -> " at " + endpoint.host() + ":" + endpoint.port())
                        .collect(Collectors.joining());
    }
}
