package io.felice.cli;

import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code felice consume}. */
@Command(
        name = "consume",
        description = "Prints records of a topic; joins no group unless one is named.",
        footer = {
            "",
            "A record is one line of JSON, which felice produce --ndjson takes. Bytes that are no UTF-8 are in key_b64"
                    + " and value_b64.",
            "",
            "  felice consume orders -O start -n 10       the first ten",
            "  felice consume orders -O -10 -e            the last ten of each partition",
            "  felice consume orders -O @-1h:end          the last hour",
            "  felice consume orders -f '%%k\\t%%v\\n'        keys and values as they come"
        })
final class ConsumeCommand implements Callable<Integer> {
    private static final Duration POLL = Duration.ofMillis(200);

    @Mixin
    ClientOptions client;

    @Option(
            names = {"-O", "--offset"},
            paramLabel = "FROM[:TO]",
            description = "Where to begin, and where to end: " + OffsetWord.GRAMMAR
                    + ". Default: end, which waits for new records.")
    String offset;

    @Option(
            names = {"-n", "--count"},
            paramLabel = "N",
            description = "Ends after so many records.")
    long count = Long.MAX_VALUE;

    @Option(
            names = {"-e", "--exit"},
            description = "Ends at the end of the topic instead of waiting for more.")
    boolean exit;

    @Option(
            names = {"-p", "--partition"},
            paramLabel = "N",
            split = ",",
            description = "Only these partitions, with commas between.")
    Set<Integer> only;

    @Option(
            names = {"-g", "--group"},
            paramLabel = "GROUP",
            description = "Joins this group and commits what was printed.")
    String group;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORM",
            description = "json, or text: the value and the end of a line. Default: json.")
    String output;

    @Option(
            names = {"-f", "--format"},
            paramLabel = "FORMAT",
            description = "The form of a record: " + RecordFormat.MEANING + ".")
    String format;

    @Parameters(paramLabel = "TOPIC", description = "The topic.")
    String topic;

    private final Terminal terminal;

    ConsumeCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    /** Writes one record. */
    private interface Printing {
        void print(ConsumerRecord<byte[], byte[]> record) throws IOException;
    }

    @Override
    public Integer call() throws IOException {
        Printing printing = printing();
        OffsetWord.Range range = OffsetWord.Range.parse(offset == null ? "end" : offset, Clock.systemUTC());
        if (group != null && (offset != null || only != null)) {
            throw CliFailure.usage("--group has its own offsets and partitions.", "See: felice group reset --help");
        }
        try (KafkaConsumer<byte[], byte[]> consumer = client.consumer(settings())) {
            if (group == null) {
                read(consumer, printing, range);
            } else {
                follow(consumer, printing);
            }
        }
        return 0;
    }

    private Map<String, Object> settings() {
        Map<String, Object> settings = new HashMap<>();
        settings.put("enable.auto.commit", false);
        settings.put("auto.offset.reset", "earliest");
        settings.put("allow.auto.create.topics", false);
        settings.put("fetch.max.wait.ms", 200);
        if (group != null) {
            settings.put("group.id", group);
        }
        return settings;
    }

    private Printing printing() {
        PrintStream out = terminal.out();
        String form = output != null ? output : "json";
        if (format != null || form.equals("text")) {
            RecordFormat text = new RecordFormat(format != null ? format : "%v\\n", terminal.isOutTerminal());
            return record -> text.write(record, out);
        } else if (!form.equals("json")) {
            throw CliFailure.usage(
                    "Records are printed as json or text, not as \"" + form + "\".",
                    "Where to begin is said with --offset or -O.");
        }
        Writer writer = new OutputStreamWriter(out, StandardCharsets.UTF_8);
        return record -> {
            RecordJson.write(record, writer);
            writer.flush();
        };
    }

    private void read(KafkaConsumer<byte[], byte[]> consumer, Printing printing, OffsetWord.Range range)
            throws IOException {
        Set<TopicPartition> partitions = partitions(consumer);
        LogOffsets offsets = of(consumer);
        consumer.assign(partitions);
        range.from().in(partitions, offsets).forEach(consumer::seek);
        Map<TopicPartition, Long> ends = null;
        if (range.to() != null) {
            ends = range.to().in(partitions, offsets);
        } else if (exit) {
            ends = offsets.end(partitions);
        } else if (offset == null && terminal.isErrTerminal()) {
            terminal.err()
                    .println("Waiting for new records. Ctrl-C ends; --offset start begins with the first record.");
        }
        long printed = 0;
        while (printed < count && (ends == null || !isAt(consumer, ends))) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                if (printed < count && isBefore(record, ends)) {
                    printing.print(record);
                    printed++;
                }
            }
            if (isReaderGone()) {
                return;
            }
        }
    }

    private Set<TopicPartition> partitions(KafkaConsumer<byte[], byte[]> consumer) {
        List<PartitionInfo> known = consumer.partitionsFor(topic);
        if (known == null || known.isEmpty()) {
            throw CliFailure.notFound("There is no topic " + topic + ".", "felice topic list shows the topics.");
        }
        Set<Integer> numbers =
                known.stream().map(PartitionInfo::partition).collect(Collectors.toCollection(TreeSet::new));
        if (only != null && !numbers.containsAll(only)) {
            throw CliFailure.notFound(topic + " has the partitions " + numbers + ", not all of " + only + ".", null);
        }
        return numbers.stream()
                .filter(number -> only == null || only.contains(number))
                .map(number -> new TopicPartition(topic, number))
                .collect(Collectors.toSet());
    }

    static boolean isAt(KafkaConsumer<byte[], byte[]> consumer, Map<TopicPartition, Long> ends) {
        return ends.entrySet().stream().allMatch(end -> consumer.position(end.getKey()) >= end.getValue());
    }

    private static boolean isBefore(ConsumerRecord<byte[], byte[]> record, Map<TopicPartition, Long> ends) {
        return ends == null || record.offset() < ends.get(new TopicPartition(record.topic(), record.partition()));
    }

    /** Commits after each record was written, so that a group reads no record that was not printed as printed. */
    private void follow(KafkaConsumer<byte[], byte[]> consumer, Printing printing) throws IOException {
        if (consumer.partitionsFor(topic).isEmpty()) {
            throw CliFailure.notFound("There is no topic " + topic + ".", "felice topic list shows the topics.");
        }
        consumer.subscribe(List.of(topic));
        long printed = 0;
        boolean isAtEnd = false;
        while (printed < count && !isAtEnd && !isReaderGone()) {
            Map<TopicPartition, OffsetAndMetadata> done = new HashMap<>();
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                if (printed < count) {
                    printing.print(record);
                    printed++;
                    done.put(
                            new TopicPartition(record.topic(), record.partition()),
                            new OffsetAndMetadata(record.offset() + 1));
                }
            }
            terminal.out().flush();
            if (!done.isEmpty()) {
                consumer.commitSync(done);
            }
            isAtEnd = exit
                    && !consumer.assignment().isEmpty()
                    && isAt(consumer, consumer.endOffsets(consumer.assignment()));
        }
    }

    /** Flushes what was printed. A program that read it, such as head, may have ended. */
    private boolean isReaderGone() {
        return terminal.out().checkError();
    }

    static LogOffsets of(KafkaConsumer<byte[], byte[]> consumer) {
        return new LogOffsets() {
            @Override
            public Map<TopicPartition, Long> start(Collection<TopicPartition> partitions) {
                return consumer.beginningOffsets(partitions);
            }

            @Override
            public Map<TopicPartition, Long> end(Collection<TopicPartition> partitions) {
                return consumer.endOffsets(partitions);
            }

            @Override
            public Map<TopicPartition, Long> at(Collection<TopicPartition> partitions, long epochMs) {
                Map<TopicPartition, Long> times = new HashMap<>();
                partitions.forEach(partition -> times.put(partition, epochMs));
                Map<TopicPartition, Long> found = end(partitions);
                Map<TopicPartition, Long> offsets = new HashMap<>(found);
                consumer.offsetsForTimes(times).forEach((partition, first) -> {
                    if (first != null) {
                        offsets.put(partition, first.offset());
                    }
                });
                return offsets;
            }
        };
    }
}
