package io.felice.controller;

import io.felice.api.cluster.ClusterStore.LiveRegistration;
import io.felice.api.cluster.ClusterView;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How many brokers a cluster may have. A broker that is in the view already goes before one that is not, and of two new
 * ones the one that registered first. Only used on the controller's thread.
 */
final class Membership {
    /** As long as nothing replicates, a second broker would be trusted with copies that it does not have. */
    static final Membership ONE_BROKER = new Membership(1);

    private static final Logger log = LoggerFactory.getLogger(Membership.class);

    private final int brokersMax;
    private final Set<Long> refusedEpochs = new HashSet<>();

    Membership(int brokersMax) {
        this.brokersMax = brokersMax;
    }

    /** The registrations that count. The others are logged once and do not show in the view. */
    List<LiveRegistration> admitted(ClusterView view, List<LiveRegistration> registered) {
        List<LiveRegistration> inOrder = registered.stream()
                .sorted(Comparator.comparing((LiveRegistration r) ->
                                !view.brokers().containsKey(r.broker().brokerId()))
                        .thenComparing(LiveRegistration::epoch))
                .toList();
        int admitted = Math.min(brokersMax, inOrder.size());
        refusedEpochs.retainAll(registered.stream().map(LiveRegistration::epoch).toList());
        inOrder.subList(admitted, inOrder.size()).forEach(this::refuse);
        return inOrder.subList(0, admitted);
    }

    private void refuse(LiveRegistration registration) {
        if (refusedEpochs.add(registration.epoch())) {
            log.warn(
                    "Broker {} at {} is not admitted: a cluster of this version of Felice has one broker",
                    registration.broker().brokerId(),
                    registration.broker().endpoints());
        }
    }
}
