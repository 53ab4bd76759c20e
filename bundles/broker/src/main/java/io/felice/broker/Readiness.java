package io.felice.broker;

import io.felice.api.Launch;
import io.felice.api.config.BrokerConfig;
import io.felice.api.status.Trouble;
import io.felice.broker.engine.EngineServices;
import io.felice.broker.engine.Engines;
import io.felice.broker.engine.MountedEngine;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Tells the launcher and {@code felice:health} whether the broker serves clients, and if not, why. The broker is ready
 * once its services are registered and the network's listeners are open. Any thread.
 */
final class Readiness {
    private static final int NAMED_PARTITIONS = 3;

    private final ClusterLink link;
    private final NodeConfigs configs;
    private final Engines engines;
    private final EngineServices services;
    private final Replicas replicas;

    private volatile boolean offered;
    private volatile boolean stopping;
    private volatile String failure;

    Readiness(ClusterLink link, NodeConfigs configs, Engines engines, EngineServices services, Replicas replicas) {
        this.link = link;
        this.configs = configs;
        this.engines = engines;
        this.services = services;
        this.replicas = replicas;
    }

    synchronized void offered() {
        offered = true;
        tell();
    }

    synchronized void failed(String sentence) {
        failure = sentence;
        Launch.failed(sentence);
    }

    /** From now on the next broker of this process tells the launcher whether the node is ready. */
    synchronized void stopping() {
        stopping = true;
        Launch.unready();
    }

    /** Tells the launcher the present state. Called after each change of the network's endpoints. */
    synchronized void tell() {
        if (stopping) {
            return;
        }
        if (offered && link.isReachable()) {
            Launch.ready(List.of("bootstrap=" + link.bootstrap(), "node=" + link.brokerId()));
        } else {
            Launch.unready();
        }
    }

    List<Trouble> troubles() {
        List<Trouble> troubles = new ArrayList<>();
        obstacle().map(Trouble::ofNode).ifPresent(troubles::add);
        troubles.addAll(services.troubles());
        missingEngines().map(Trouble::inPart).ifPresent(troubles::add);
        offline().map(Trouble::inPart).ifPresent(troubles::add);
        damaged().map(Trouble::inPart).ifPresent(troubles::add);
        for (MountedEngine engine : engines.all()) {
            if (engine.space().isFull()) {
                troubles.add(Trouble.inPart("The storage engine " + engine.name()
                        + " is full: its topics take no records until records are deleted or the disk has room"));
            }
        }
        return troubles;
    }

    /** Why the broker serves no client; empty if it does. */
    private Optional<String> obstacle() {
        if (failure != null) {
            return Optional.of("The broker cannot run: " + failure);
        } else if (stopping) {
            return Optional.of("The broker is stopping");
        } else if (!link.isReachable()) {
            return Optional.of("The broker waits for the network to open its listeners");
        } else if (!offered) {
            return Optional.of("The broker waits " + link.awaited().orElseGet(this::logsToOpen));
        }
        return Optional.empty();
    }

    private String logsToOpen() {
        return "until its logs are open; " + replicas.openingTimes().waitingCount() + " logs are left";
    }

    /** The engines that {@code storage.placement} names and that are not running. */
    private Optional<String> missingEngines() {
        Set<String> missing = offered ? configs.missingEngines() : Set.of();
        return missing.isEmpty()
                ? Optional.empty()
                : Optional.of("storage.placement = " + configs.broker().get(BrokerConfig.STORAGE_PLACEMENT)
                        + " needs the storage engine " + String.join(", ", missing)
                        + ", which is not running. Topics that are placed there cannot be used. Running engines: "
                        + String.join(", ", engines.names())
                        + ". See io.felice.broker.cfg; the log says why an engine did not start");
    }

    private Optional<String> offline() {
        List<Replica> offline =
                replicas.all().stream().filter(Replica::isOffline).toList();
        if (offline.isEmpty()) {
            return Optional.empty();
        }
        List<String> named = offline.stream()
                .limit(NAMED_PARTITIONS)
                .map(replica -> replica.partition + " ("
                        + replicas.lookup().reasonOffline(replica).orElse("") + ")")
                .toList();
        return Optional.of((offline.size() == 1 ? "1 partition is" : offline.size() + " partitions are") + " offline: "
                + String.join(", ", named)
                + (offline.size() > NAMED_PARTITIONS ? " and others, see felice:status broker.offline" : ""));
    }

    private Optional<String> damaged() {
        List<String> damaged = replicas.openLogs()
                .flatMap(log -> log.scrub().damages().all().stream()
                        .limit(1)
                        .map(first -> log.partition() + " (" + first + ")"))
                .toList();
        if (damaged.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of((damaged.size() == 1 ? "1 partition has" : damaged.size() + " partitions have")
                + " damaged records, which clients cannot read: "
                + String.join(", ", damaged.subList(0, Math.min(NAMED_PARTITIONS, damaged.size())))
                + "; see felice:status broker.damage");
    }
}
