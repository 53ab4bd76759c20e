package io.felice.shell;

import io.felice.api.FeliceException;
import io.felice.api.partition.Strays;
import io.felice.api.partition.Strays.StrayTopic;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.table.ShellTable;

/**
 * {@code felice:strays}: shows logs of topics that the cluster does not know, creates the topics again, or deletes
 * them.
 */
@Service
@Command(
        scope = "felice",
        name = "strays",
        description =
                "Shows logs of topics that the cluster does not know; creates a topic again, or deletes its logs.")
public final class StraysCommand implements Action {
    /** Every record of the topic is read once before it is taken in. */
    private static final long PATIENCE_MINUTES = 60;

    @Argument(
            index = 0,
            name = "what",
            description = "take-in: creates the topic again with its old id and records; all records are kept until its"
                    + " retention is set. delete: deletes its logs. Without an action, the logs are shown.")
    String what;

    @Argument(index = 1, name = "topic", description = "The topic's name, or its id if two topics have that name.")
    String topic;

    @Option(
            name = "--partitions",
            description =
                    "The number of partitions of the created topic, if it had more partitions than there are logs.")
    Integer partitions;

    @Reference
    Strays strays;

    @Override
    public Object execute() throws Exception {
        List<StrayTopic> all = get(strays.list());
        if (what == null) {
            show(all);
            return null;
        }
        if (topic == null) {
            throw new IllegalArgumentException("Which topic? felice:strays " + what + " TOPIC");
        }
        StrayTopic chosen = only(all);
        switch (what) {
            case "take-in" -> takeIn(chosen);
            case "delete" -> delete(chosen);
            default -> throw new IllegalArgumentException(
                    "felice:strays accepts take-in and delete, not \"" + what + "\".");
        }
        return null;
    }

    private static void show(List<StrayTopic> all) {
        ShellTable table = new ShellTable().emptyTableText("(no stray logs)");
        List.of("topic", "id", "engine", "partitions", "where").forEach(table::column);
        all.forEach(one -> table.addRow()
                .addContent(
                        one.topic(),
                        one.topicId(),
                        one.engine(),
                        one.partitions().stream().map(String::valueOf).collect(Collectors.joining(",")),
                        one.logDir()));
        table.print(System.out);
    }

    private StrayTopic only(List<StrayTopic> all) {
        List<StrayTopic> named = all.stream()
                .filter(one ->
                        one.topic().equals(topic) || one.topicId().toString().equals(topic))
                .toList();
        if (named.isEmpty()) {
            throw new IllegalArgumentException("There are no stray logs of " + topic + ".");
        }
        if (named.size() > 1) {
            throw new IllegalArgumentException("More than one topic was named " + topic + ". Give the id: "
                    + named.stream().map(one -> one.topicId().toString()).collect(Collectors.joining(", ")));
        }
        return named.get(0);
    }

    private void takeIn(StrayTopic chosen) throws Exception {
        OptionalInt asked = partitions == null ? OptionalInt.empty() : OptionalInt.of(partitions);
        int made = get(strays.takeIn(chosen.topicId(), asked));
        System.out.println("Created topic " + chosen.topic() + " again, with " + made + " partitions. Its configs are"
                + " lost: all records are kept until retention.ms or retention.bytes is set.");
    }

    private void delete(StrayTopic chosen) throws Exception {
        get(strays.delete(chosen.topicId()));
        System.out.println("Deleted " + chosen.partitions().size() + " logs of " + chosen.topic() + ".");
    }

    private static <T> T get(CompletionStage<T> stage) throws Exception {
        try {
            return stage.toCompletableFuture().get(PATIENCE_MINUTES, TimeUnit.MINUTES);
        } catch (ExecutionException failure) {
            Throwable bare = FeliceException.unwrap(failure);
            throw bare instanceof Exception exception ? exception : failure;
        } catch (TimeoutException late) {
            throw new IllegalStateException(
                    "There is no answer after " + PATIENCE_MINUTES + " minutes; the node's log shows the progress.",
                    late);
        }
    }
}
