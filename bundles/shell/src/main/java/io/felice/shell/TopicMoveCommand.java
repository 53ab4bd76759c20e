package io.felice.shell;

import io.felice.api.TopicPartition;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.Outcome;
import io.felice.api.cluster.TopicView;
import io.felice.api.partition.LogMove;
import io.felice.api.partition.Partitions;
import io.felice.api.security.AuditLog;
import io.felice.shell.text.Listing;
import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:topic-move}: moves a topic of this node to another storage engine while clients go on. */
@Service
@Command(
        scope = "felice",
        name = "topic-move",
        description = "Moves a topic to another storage engine while clients go on; shows or cancels moves.")
public final class TopicMoveCommand implements Action {
    @Argument(index = 0, name = "topic", description = "The topic. Without it, the moves are shown.")
    String topic;

    @Argument(
            index = 1,
            name = "engine",
            description = "The storage engine that gets the topic, for example log or mvstore. Without it, the moves of"
                    + " the topic are shown.")
    String engine;

    @Option(name = "--partition", description = "Only this partition; may be given several times.", multiValued = true)
    List<Integer> partitions;

    @Option(name = "--status", description = "Shows the moves that have not ended.")
    boolean status;

    @Option(name = "--cancel", description = "Ends the moves of the topic; its records stay where they are.")
    boolean cancel;

    @Option(name = "--json", description = "Shows the moves as JSON.")
    boolean json;

    @Reference
    Partitions broker;

    @Reference
    ClusterMetadata metadata;

    @Reference
    AuditLog audit;

    @Override
    public Object execute() throws Exception {
        if (cancel && (topic == null || engine != null)) {
            throw new IllegalArgumentException("Which moves? felice:topic-move TOPIC --cancel");
        }
        if (cancel) {
            cancel();
        } else if (engine != null && !status) {
            begin();
        } else {
            show();
        }
        return null;
    }

    private void begin() throws Exception {
        TopicView known = metadata.view()
                .topic(topic)
                .orElseThrow(() -> new IllegalArgumentException("There is no topic " + topic + "."));
        Map<TopicPartition, String> targets = new TreeMap<>(inOrder());
        known.partitions().forEach((number, state) -> {
            if (isWanted(number) && state.replicas().contains(metadata.brokerId())) {
                targets.put(new TopicPartition(topic, number), engine);
            }
        });
        if (targets.isEmpty()) {
            throw new IllegalArgumentException("This node has no such partition of " + topic + ".");
        }
        mustHaveBegun(targets);
        targets.keySet().forEach(partition -> audit.changed("shell", "topic-move " + partition + " to " + engine));
        System.out.println(targets.size() + (targets.size() == 1 ? " partition of " : " partitions of ") + topic
                + (targets.size() == 1 ? " is" : " are") + " being moved to " + engine
                + ". felice:topic-move --status shows the progress.");
    }

    private void cancel() throws Exception {
        Map<TopicPartition, String> back = new TreeMap<>(inOrder());
        moves().stream()
                .filter(move -> move.phase() != LogMove.Phase.REMOVING)
                .forEach(move -> back.put(move.partition(), move.from()));
        if (back.isEmpty()) {
            System.out.println("No move of " + topic + " is under way.");
            return;
        }
        mustHaveBegun(back);
        back.keySet().forEach(partition -> audit.changed("shell", "topic-move " + partition + " cancelled"));
        System.out.println("Cancelled " + back.size() + " moves of " + topic + ".");
    }

    private void mustHaveBegun(Map<TopicPartition, String> targets) throws Exception {
        Map<TopicPartition, Outcome<Void>> outcomes = ClusterChange.get(broker.move(targets));
        outcomes.forEach((partition, outcome) -> {
            if (outcome.isFailed()) {
                throw new IllegalArgumentException(outcome.message());
            }
        });
    }

    private static Comparator<TopicPartition> inOrder() {
        return Comparator.comparing(TopicPartition::topic).thenComparingInt(TopicPartition::partition);
    }

    private boolean isWanted(int partition) {
        return partitions == null || partitions.contains(partition);
    }

    private List<LogMove> moves() {
        return broker.moves().stream()
                .filter(move -> topic == null || move.partition().topic().equals(topic))
                .filter(move -> isWanted(move.partition().partition()))
                .toList();
    }

    private void show() throws IOException {
        Listing listing = new Listing("partition", "from", "to", "phase", "copied.bytes", "lag", "problem");
        moves().forEach(move -> listing.row(
                move.partition().toString(),
                move.from(),
                move.to(),
                move.phase().name().toLowerCase(Locale.ROOT),
                move.copiedBytes(),
                move.offsetLag(),
                move.problem()));
        KarafTable.print(listing, System.out, json, "(no log is being moved)");
    }
}
