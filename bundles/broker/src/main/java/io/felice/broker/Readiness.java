package io.felice.broker;

import io.felice.api.Launch;
import io.felice.api.config.BrokerConfig;
import io.felice.broker.engine.Engines;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the launcher whether this node is ready: its services are offered, clients reach it, and the engines that new
 * topics are placed on are here. Any thread.
 */
final class Readiness {
    private static final Logger log = LoggerFactory.getLogger(Readiness.class);
    private static final long ENGINES_PATIENCE_MS = 15_000;

    private final BrokerThreads threads;
    private final ClusterLink link;
    private final NodeConfigs configs;
    private final Engines engines;
    private final AtomicInteger timesTold = new AtomicInteger();

    private boolean offered;
    private boolean stopping;

    Readiness(BrokerThreads threads, ClusterLink link, NodeConfigs configs, Engines engines) {
        this.threads = threads;
        this.link = link;
        this.configs = configs;
        this.engines = engines;
    }

    /** The broker's services are registered. */
    synchronized void offered() {
        offered = true;
        tell();
    }

    /** The broker stops: from now on its successor says whether the node is ready. */
    synchronized void stopping() {
        stopping = true;
        Launch.unready();
    }

    /** Something that readiness depends on may have changed. */
    synchronized void tell() {
        if (stopping) {
            return;
        }
        int turn = timesTold.incrementAndGet();
        if (!offered || !link.isReachable()) {
            Launch.unready();
        } else if (!configs.missingEngines().isEmpty()) {
            Launch.unready();
            threads.later(ENGINES_PATIENCE_MS, () -> missEngines(turn));
        } else {
            Launch.ready(List.of("bootstrap=" + link.bootstrap(), "node=" + link.brokerId()));
        }
    }

    /** Does what changes the engines that are needed, and tells about it if it did. */
    void tellIfEnginesChange(Runnable change) {
        Set<String> missed = configs.missingEngines();
        change.run();
        if (!missed.equals(configs.missingEngines())) {
            tell();
        }
    }

    /** An engine that is being replaced is back by now. One that is still missing makes this node unfit for new topics. */
    private synchronized void missEngines(int turn) {
        Set<String> missing = configs.missingEngines();
        if (stopping || missing.isEmpty() || turn != timesTold.get()) {
            return;
        }
        String sentence = "storage.placement = " + configs.broker().get(BrokerConfig.STORAGE_PLACEMENT)
                + " needs what is not here: the storage engine " + String.join(", ", missing) + ". Here are: "
                + String.join(", ", engines.names()) + ".";
        if (Launch.hasServed()) {
            log.error("Not ready: {}", sentence);
        } else {
            Launch.failed(sentence + " See io.felice.broker.cfg, and the log for why an engine did not start.");
        }
    }
}
