package io.felice.broker;

import io.felice.api.FeliceException;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.ClusterView.LiveBroker;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The controlled shutdown: before this broker stops serving, the other brokers take over the partitions that it leads, so
 * that clients find a leader at any time. A broker that is alone does not wait.
 */
final class Departure {
    private static final Logger log = LoggerFactory.getLogger(Departure.class);
    /** For the controller's decision, and then for this node to follow it. */
    private static final long PATIENCE_MS = 3_000;

    private final ClusterLink link;
    private final Supplier<Admin> admin;
    private final AtomicBoolean begun = new AtomicBoolean();

    /** @param admin gives null while there is no controller service */
    Departure(ClusterLink link, Supplier<Admin> admin) {
        this.link = link;
        this.admin = admin;
    }

    /** Blocks for some seconds at most. Does nothing at the second call, and while the cluster cannot be reached. */
    void leave() {
        if (!begun.compareAndSet(false, true)) {
            return;
        }
        Admin controller = admin.get();
        ClusterView now = link.view();
        LiveBroker self = now.broker(link.brokerId()).orElse(null);
        if (controller == null || self == null || now.brokers().size() < 2 || !link.isConnected()) {
            return;
        }
        try {
            Admin.Decided<Integer, Integer> left = await(controller.leave(link.brokerId(), self.epoch()));
            Integer stays = left.outcomes().values().stream()
                    .map(outcome -> outcome.value())
                    .findFirst()
                    .orElse(null);
            await(link.reached(left.version()));
            log.info(
                    "Broker {} has left the in-sync sets; it leads {} partitions still, because no other replica can",
                    link.brokerId(),
                    stays);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException | RuntimeException failure) {
            log.warn(
                    "Broker {} stops before other brokers lead its partitions; clients wait until the controller has noticed: {}",
                    link.brokerId(),
                    FeliceException.unwrap(failure).toString());
        }
    }

    private static <T> T await(CompletionStage<T> stage)
            throws InterruptedException, ExecutionException, TimeoutException {
        return stage.toCompletableFuture().get(PATIENCE_MS, TimeUnit.MILLISECONDS);
    }
}
