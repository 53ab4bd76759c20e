package io.felice.shell;

import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.TopicView;
import io.felice.api.security.AuditLog;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:topic-replicas}: gives the partitions of topics more or fewer replicas. */
@Service
@Command(
        scope = "felice",
        name = "topic-replicas",
        description = "Gives each partition of topics so many replicas, while clients go on.")
public final class TopicReplicasCommand implements Action {
    @Argument(index = 0, name = "count", required = true, description = "How many replicas each partition gets")
    int count;

    @Argument(index = 1, name = "topics", multiValued = true, description = "The topics")
    List<String> topics;

    @Option(name = "--all", description = "All topics, also __consumer_offsets.")
    boolean all;

    @Reference
    AuditLog audit;

    @Reference
    Admin admin;

    @Reference
    ClusterMetadata metadata;

    @Override
    public Object execute() throws Exception {
        ClusterView view = metadata.view();
        Map<TopicPartition, Optional<List<Integer>>> targets = ReplicaTargets.of(view, wanted(view), count);
        if (targets.isEmpty()) {
            System.out.println("The partitions have " + count + " replicas each already.");
            return null;
        }
        ClusterChange.await(metadata, admin.reassign(targets));
        audit.changed("shell", "topic-replicas " + count + " " + (all ? "--all" : String.join(" ", topics)));
        System.out.println(
                targets.size() + (targets.size() == 1 ? " partition gets " : " partitions get ") + count
                        + " replicas. kafka-reassign-partitions --list and felice:status controller.partitions show what is left.");
        return null;
    }

    private Collection<TopicView> wanted(ClusterView view) {
        if (all == (topics != null)) {
            throw new IllegalArgumentException("Which topics? felice:topic-replicas 3 TOPIC..., or --all 3");
        }
        return all
                ? view.topics()
                : topics.stream()
                        .distinct()
                        .map(name -> view.topic(name)
                                .orElseThrow(() -> new IllegalArgumentException("There is no topic " + name + ".")))
                        .toList();
    }
}
