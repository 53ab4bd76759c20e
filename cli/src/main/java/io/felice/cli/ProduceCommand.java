package io.felice.cli;

import io.felice.shell.text.Listing;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code felice produce}. */
@Command(
        name = "produce",
        description = "Writes records into a topic: each line of the input or of the files is one.",
        footer = {
            "",
            "  echo hello | felice produce greetings",
            "  echo '42:tea' | felice produce orders -K :                key 42, value tea",
            "  felice consume orders -O start -e | felice produce copy --ndjson",
            "  felice produce pictures --whole picture.png               the file is one record"
        })
final class ProduceCommand implements Callable<Integer> {
    /** Longer than any record that a broker takes. */
    private static final int LONGEST_LINE = 256 << 20;

    private static final int SENDER_MEMORY = 32 << 20;

    @Mixin
    ClientOptions client;

    @Mixin
    OutputOptions output;

    @Option(
            names = {"-j", "--ndjson"},
            description = "A line is a JSON object as felice consume prints it: key, value, headers, time; key_b64 and"
                    + " value_b64 for bytes that are no text.")
    boolean ndjson;

    @Option(names = "--whole", description = "A file, or all of the input, is one record.")
    boolean whole;

    @Option(
            names = {"-k", "--key"},
            paramLabel = "KEY",
            description = "The key of all records.")
    String key;

    @Option(
            names = {"-K", "--key-separator"},
            paramLabel = "TEXT",
            description = "What is before this text in a line is the key.")
    String separator;

    @Option(
            names = {"-H", "--header"},
            paramLabel = "NAME=VALUE",
            description = "A header of all records; may be repeated.")
    List<String> headers = new ArrayList<>();

    @Option(
            names = {"-p", "--partition"},
            paramLabel = "N",
            description = "The partition; else the key decides.")
    Integer partition;

    @Option(
            names = {"-Z", "--null"},
            description = "An empty value is a null, which deletes the key in a compacted topic.")
    boolean empty;

    @Option(
            names = {"-d", "--delimiter"},
            paramLabel = "C",
            defaultValue = "\\n",
            description = "The byte that ends a record: a character, \\n, \\t or \\0.")
    String delimiter;

    @Option(names = "--acks", paramLabel = "N", description = "0, 1 or all. Default: all.")
    String acks = "all";

    @Option(names = "--compression", paramLabel = "CODEC", description = "none, gzip, snappy, lz4 or zstd.")
    String compression = "none";

    @Parameters(index = "0", paramLabel = "TOPIC", description = "The topic.")
    String topic;

    @Parameters(index = "1..*", paramLabel = "FILE", description = "Instead of the input.")
    List<Path> files;

    private final Terminal terminal;
    private final AtomicLong acknowledged = new AtomicLong();
    private final AtomicReference<CliFailure> failure = new AtomicReference<>();
    private final List<Header> parsedHeaders = new ArrayList<>();
    private final Map<Integer, Written> written = new TreeMap<>();
    private long sent;

    ProduceCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        headers.forEach(this::parseHeader);
        int end = delimiter();
        boolean isAsked = files == null && terminal.terminals().contains("in") && terminal.isErrTerminal();
        try (KafkaProducer<byte[], byte[]> producer = client.producer(settings());
                Progress progress = new Progress(terminal, "records", -1)) {
            requireTopic(producer);
            if (isAsked) {
                terminal.err().println("Each line is a record. Ctrl-D ends.");
            }
            if (files == null) {
                produce(terminal.in(), end, producer, isAsked ? null : progress, "line");
            } else {
                for (Path file : files) {
                    try (InputStream in = Files.newInputStream(file)) {
                        produce(in, end, producer, progress, file + ", line");
                    }
                }
            }
            producer.flush();
        }
        return report();
    }

    private void parseHeader(String text) {
        int equals = text.indexOf('=');
        if (equals < 1) {
            throw CliFailure.usage("\"" + text + "\" is not NAME=VALUE.", null);
        }
        parsedHeaders.add(new RecordHeader(
                text.substring(0, equals), text.substring(equals + 1).getBytes(StandardCharsets.UTF_8)));
    }

    private int delimiter() {
        String text = delimiter.replace("\\n", "\n").replace("\\t", "\t").replace("\\0", "\0");
        if (text.length() != 1 || text.charAt(0) > 127) {
            throw CliFailure.usage("The delimiter is one byte, not \"" + delimiter + "\".", null);
        }
        return text.charAt(0);
    }

    private Map<String, Object> settings() {
        Map<String, Object> settings = new HashMap<>();
        settings.put("acks", acks);
        settings.put("enable.idempotence", acks.equals("all") || acks.equals("-1"));
        settings.put("compression.type", compression);
        settings.put("linger.ms", 5);
        settings.put("max.block.ms", client.timeoutMs());
        settings.put("delivery.timeout.ms", client.timeoutMs() + 1000);
        settings.put("max.request.size", LONGEST_LINE);
        settings.put("buffer.memory", SENDER_MEMORY);
        return settings;
    }

    /** The producer itself would only say that it waited too long. */
    private void requireTopic(KafkaProducer<byte[], byte[]> producer) {
        try {
            producer.partitionsFor(topic);
        } catch (org.apache.kafka.common.errors.TimeoutException
                | org.apache.kafka.common.errors.InvalidTopicException missing) {
            CliFailure known = CliFailure.of(missing);
            throw known.exitCode() == CliFailure.TIMEOUT
                    ? CliFailure.notFound(
                            "There is no topic " + topic + ", and the cluster does not make one by itself.",
                            "To make it: felice topic create " + topic)
                    : known;
        }
    }

    private void produce(
            InputStream in, int end, KafkaProducer<byte[], byte[]> producer, Progress progress, String where)
            throws IOException {
        if (whole) {
            byte[] all = in.readNBytes(LONGEST_LINE);
            send(producer, record(all), where + " 1");
            return;
        }
        BufferedInputStream buffered = new BufferedInputStream(in, 64 << 10);
        long number = 0;
        for (byte[] line = line(buffered, end); line != null; line = line(buffered, end)) {
            number++;
            if (failure.get() != null) {
                return;
            }
            if (!ndjson || line.length > 0) {
                send(producer, ndjson ? parsed(line, where + " " + number) : record(line), where + " " + number);
            }
            if (progress != null) {
                progress.at(sent);
            }
        }
    }

    /** The bytes up to the delimiter; null at the end. */
    private static byte[] line(BufferedInputStream in, int end) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream(256);
        int next = in.read();
        if (next < 0) {
            return null;
        }
        while (next >= 0 && next != end) {
            line.write(next);
            if (line.size() > LONGEST_LINE) {
                throw CliFailure.usage("A line is longer than " + HumanUnits.size(LONGEST_LINE) + ".", null);
            }
            next = in.read();
        }
        return line.toByteArray();
    }

    private ProducerRecord<byte[], byte[]> parsed(byte[] line, String where) {
        try {
            String text = RecordJson.text(line);
            if (text == null) {
                throw new RecordJson.Unreadable("it is no UTF-8");
            }
            ProducerRecord<byte[], byte[]> record = RecordJson.read(text, topic, partition);
            parsedHeaders.forEach(header -> record.headers().add(header));
            return record;
        } catch (RecordJson.Unreadable wrong) {
            failure.compareAndSet(
                    null,
                    new CliFailure(
                            CliFailure.USAGE,
                            "NOT_A_RECORD",
                            "Not a record, " + where + ": " + wrong.getMessage() + ".",
                            null));
            return null;
        }
    }

    private ProducerRecord<byte[], byte[]> record(byte[] line) {
        byte[] recordKey = key == null ? null : key.getBytes(StandardCharsets.UTF_8);
        byte[] value = line;
        if (separator != null) {
            byte[] between = separator.getBytes(StandardCharsets.UTF_8);
            int at = indexOf(line, between);
            if (at >= 0) {
                recordKey = Arrays.copyOf(line, at);
                value = Arrays.copyOfRange(line, at + between.length, line.length);
            }
        }
        return new ProducerRecord<>(
                topic, partition, recordKey, empty && value.length == 0 ? null : value, List.copyOf(parsedHeaders));
    }

    private static int indexOf(byte[] bytes, byte[] part) {
        for (int i = 0; i + part.length <= bytes.length; i++) {
            if (Arrays.equals(bytes, i, i + part.length, part, 0, part.length)) {
                return i;
            }
        }
        return -1;
    }

    private void send(KafkaProducer<byte[], byte[]> producer, ProducerRecord<byte[], byte[]> record, String where) {
        if (record == null) {
            return;
        }
        sent++;
        producer.send(record, (metadata, refused) -> {
            if (refused == null) {
                acknowledged.incrementAndGet();
                note(metadata);
            } else {
                CliFailure known = CliFailure.of(refused);
                failure.compareAndSet(null, known.saying(where + ": " + known.getMessage(), null));
            }
        });
    }

    /** What was written into a partition. Only the one thread of the producer writes it. */
    private static final class Written {
        private long records;
        private Long first;
        private Long last;
    }

    /** Called on the one thread of the producer. */
    private void note(RecordMetadata metadata) {
        Written partition = written.computeIfAbsent(metadata.partition(), number -> new Written());
        partition.records++;
        if (metadata.hasOffset()) {
            partition.first = partition.first == null ? metadata.offset() : partition.first;
            partition.last = metadata.offset();
        }
    }

    private int report() {
        long records = acknowledged.get();
        if (failure.get() != null) {
            CliFailure first = failure.get();
            throw first.saying(
                    first.getMessage() + " " + TopicCommands.counted(records, "record") + " of " + sent
                            + (records == 1 ? " was" : " were") + " written.",
                    null);
        }
        Listing done = new Listing("topic", "partition", "records", "first_offset", "last_offset");
        written.forEach((number, each) -> done.row(topic, number, each.records, each.first, each.last));
        output.done(sentence(records), done);
        return 0;
    }

    private String sentence(long records) {
        String sentence = TopicCommands.counted(records, "record") + " written to " + topic;
        if (records == 1) {
            Map.Entry<Integer, Written> only = written.entrySet().iterator().next();
            sentence += ", partition " + only.getKey();
            sentence += only.getValue().last == null ? "" : ", offset " + only.getValue().last;
        }
        return sentence + ".";
    }
}
