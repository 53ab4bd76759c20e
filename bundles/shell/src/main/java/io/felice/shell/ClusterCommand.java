package io.felice.shell;

import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.AppliedVersion;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.Outcome;
import io.felice.api.config.Configs;
import io.felice.api.config.TopicConfig;
import io.felice.api.status.StatusSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:cluster}: shows the brokers of the cluster, or the partitions that need attention. */
@Service
@Command(
        scope = "felice",
        name = "cluster",
        description = "Shows the brokers of the cluster, as this node knows them, and which of them is the controller.")
public final class ClusterCommand implements Action {
    private static final long PATIENCE_MS = 2_000;

    @Option(
            name = "--partitions",
            description =
                    "Shows the partitions that need attention: offline, with fewer replicas in sync than they have"
                            + " or than min.insync.replicas, or being reassigned; and how far the replicas"
                            + " are behind, of the partitions that this node leads or follows.")
    boolean partitions;

    @Option(name = "--json", description = "Prints JSON.")
    boolean json;

    @Reference
    ClusterMetadata metadata;

    @Reference
    Configs configs;

    @Reference
    Admin admin;

    @Reference
    List<StatusSource> sources;

    @Override
    public Object execute() throws IOException {
        ClusterView view = metadata.view();
        if (partitions) {
            KarafTable.print(
                    ClusterText.attention(
                            view,
                            topic -> configs.topic(topic).getInt(TopicConfig.MIN_INSYNC_REPLICAS),
                            ReplicaLags.of(ShownTables.of(sources))),
                    System.out,
                    json,
                    "(every replica of every partition is in sync)");
            return null;
        }
        KarafTable.print(
                ClusterText.brokers(view, admin.controllerId(), applied(view)), System.out, json, "(no brokers)");
        if (!json) {
            System.out.println(ClusterText.controller(admin.controllerId(), admin.controllerSince()));
            System.out.println(ClusterText.summary(view));
        }
        return null;
    }

    /** Nothing if the controller does not answer soon. */
    private Map<Integer, Outcome<AppliedVersion>> applied(ClusterView view) {
        return admin.reportApplied(metadata.brokerId(), view.version())
                .thenApply(Decided::outcomes)
                .exceptionally(away -> Map.of())
                .toCompletableFuture()
                .completeOnTimeout(Map.of(), PATIENCE_MS, TimeUnit.MILLISECONDS)
                .join();
    }
}
