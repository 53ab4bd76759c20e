package io.felice.console;

import io.felice.api.FeliceException;
import io.felice.api.RecordHeader;
import io.felice.api.TopicPartition;
import io.felice.api.Turn;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicView;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partitions;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.console.access.Permits;
import io.felice.console.http.Answer;
import io.felice.console.http.ApiRequest;
import io.felice.console.http.Endpoint;
import io.felice.console.http.Json;
import io.felice.console.http.Problem;
import io.felice.console.live.EventStream;
import io.felice.console.live.EventStreams;
import io.felice.records.BatchBuilder;
import io.felice.records.KeyHash;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** The records of a topic: read, searched, watched and written. */
final class RecordEndpoints {
    private static final int MOST_PARTITIONS = 1_000;
    private static final int MOST_EXPORTED = 100_000;
    private static final int TAIL_EVERY_MS = 250;
    private static final Duration PRODUCE_TIMEOUT = Duration.ofSeconds(20);

    private final NodeServices services;
    private final Permits permits;
    private final EventStreams streams;
    private final ScheduledExecutorService timer;
    private final Audited audited;
    private final Supplier<ConsoleSettings> settings;

    RecordEndpoints(
            NodeServices services,
            Permits permits,
            EventStreams streams,
            ScheduledExecutorService timer,
            Audited audited,
            Supplier<ConsoleSettings> settings) {
        this.services = services;
        this.permits = permits;
        this.streams = streams;
        this.timer = timer;
        this.audited = audited;
        this.settings = settings;
    }

    void addTo(Map<String, Endpoint> endpoints) {
        endpoints.put("listRecords", this::list);
        endpoints.put("tailRecords", this::tail);
        endpoints.put("exportRecords", this::export);
        endpoints.put("produceRecords", this::produce);
    }

    private record Found(
            List<ShownRecord> records,
            int scanned,
            long of,
            String end,
            String cursor,
            List<RecordSearch.Unread> problems) {}

    /**
     * Where an answer has ended.
     *
     * @param backward true of a search from the newest back
     * @param next by partition: the offset from which to go on, or below which
     */
    private record Cursor(boolean backward, Map<Integer, Long> next) {
        String text() {
            return Base64.getUrlEncoder().withoutPadding().encodeToString(Json.bytes(this));
        }

        static Cursor parse(String text) {
            try {
                Cursor cursor = Json.read(Base64.getUrlDecoder().decode(text), Cursor.class);
                if (cursor.next() == null || cursor.next().containsValue(null)) {
                    throw Problem.invalid("The cursor is not one of this topic.");
                }
                return cursor;
            } catch (IllegalArgumentException noBase64) {
                throw Problem.invalid("The cursor is not one of this topic.");
            }
        }
    }

    private TopicView find(ApiRequest request) {
        String name = request.path("topic");
        return services.need(ClusterMetadata.class)
                .view()
                .topic(name)
                .filter(topic -> permits.sees(request.caller(), Operation.DESCRIBE, ResourceType.TOPIC, name))
                .orElseThrow(() -> Problem.notFound("There is no topic of this name."));
    }

    private boolean mayRead(ApiRequest request, String topic) {
        return settings.get().records_readable()
                && permits.sees(request.caller(), Operation.READ, ResourceType.TOPIC, topic);
    }

    private void demandRead(ApiRequest request, String topic) {
        if (!settings.get().records_readable()) {
            throw Problem.forbidden("Records are not shown by this console (records.readable).", "records.read");
        }
        permits.demand(request.caller(), Operation.READ, ResourceType.TOPIC, topic);
    }

    // ---- reading

    private Answer list(ApiRequest request) {
        TopicView topic = find(request);
        RecordFilter filter = new RecordFilter(request);
        boolean isHidden = !mayRead(request, topic.name());
        if (isHidden && !filter.isEmpty()) {
            demandRead(request, topic.name());
        }
        Optional<Cursor> cursor = request.query("cursor").map(Cursor::parse);
        String from = request.query("from", List.of("newest", "oldest", "offset", "time"), "newest");
        boolean isBackward = cursor.map(Cursor::backward).orElse(from.equals("newest"));
        RecordSearch search = new RecordSearch(
                filter,
                isBackward,
                request.query("limit", 1, 1_000, 100),
                request.query("budget", 1, 1_000_000, 100_000),
                request.query("maxBytes", 16, 1 << 20, 16 << 10),
                isHidden);
        long of = 0;
        for (int number : partitions(request, topic)) {
            PartitionReading partition = open(topic, number, search).orElse(null);
            if (partition == null) {
                continue;
            }
            long start = partition.start();
            long end = partition.end();
            if (cursor.isPresent()) {
                Long next = cursor.get().next().get(number);
                if (next != null && isBackward) {
                    end = Math.min(end, next);
                } else if (next != null) {
                    start = Math.max(start, next);
                } else {
                    continue;
                }
            } else if (from.equals("offset")) {
                start = Math.max(start, request.queryLong("offset").orElse(0L));
            } else if (from.equals("time")) {
                long time =
                        request.queryLong("time").orElseThrow(() -> Problem.invalid("The parameter time is missing."));
                try {
                    OptionalLong found = partition.offsetFor(time);
                    start = found.isPresent() ? found.getAsLong() : end;
                } catch (FeliceException elsewhere) {
                    search.unreadable(number, "Only the broker that leads the partition finds records by their time.");
                    continue;
                }
            }
            of += Math.max(0, end - start);
            search.add(partition, Math.min(start, end), end);
        }
        RecordSearch.End end = search.run();
        return Answer.of(new Found(
                search.found(),
                search.scanned(),
                of,
                end.name().toLowerCase(java.util.Locale.ROOT),
                end == RecordSearch.End.END ? null : new Cursor(isBackward, search.next()).text(),
                search.problems().isEmpty() ? null : search.problems()));
    }

    private static List<Integer> partitions(ApiRequest request, TopicView topic) {
        List<Integer> wanted = request.query("partition")
                .map(text -> Arrays.stream(text.split(","))
                        .map(number -> number(number.trim(), topic))
                        .distinct()
                        .toList())
                .orElseGet(() -> List.copyOf(topic.partitions().keySet()));
        if (wanted.size() > MOST_PARTITIONS) {
            throw Problem.invalid("At most " + MOST_PARTITIONS + " partitions are read at a time. Name some.");
        }
        return wanted;
    }

    private static int number(String text, TopicView topic) {
        try {
            int number = Integer.parseInt(text);
            if (topic.partition(number).isPresent()) {
                return number;
            }
        } catch (NumberFormatException noNumber) {
            // The problem below says so.
        }
        throw Problem.notFound("The topic has no partition " + text + ".");
    }

    private Optional<PartitionReading> open(TopicView topic, int number, RecordSearch search) {
        TopicPartition id = new TopicPartition(topic.name(), number);
        PartitionState state = topic.partition(number).orElseThrow();
        int me = services.need(ClusterMetadata.class).brokerId();
        if (!state.replicas().contains(me)) {
            search.elsewhere(number, state.leader());
            return Optional.empty();
        }
        try {
            return Optional.of(new PartitionReading(services.need(Partitions.class), id));
        } catch (FeliceException unreadable) {
            search.unreadable(number, unreadable.getMessage());
            return Optional.empty();
        }
    }

    /** As a file of JSON objects, one a line. */
    private Answer export(ApiRequest request) throws IOException {
        TopicView topic = find(request);
        demandRead(request, topic.name());
        RecordFilter filter = new RecordFilter(request);
        String from = request.query("from", List.of("newest", "oldest", "offset", "time"), "oldest");
        int limit = request.query("limit", 1, MOST_EXPORTED, 10_000);
        RecordSearch search = new RecordSearch(
                filter,
                from.equals("newest"),
                limit,
                request.query("budget", 1, 1_000_000, 1_000_000),
                request.query("maxBytes", 16, 1 << 20, 1 << 20),
                false);
        for (int number : partitions(request, topic)) {
            open(topic, number, search)
                    .ifPresent(partition -> search.add(
                            partition,
                            from.equals("offset")
                                    ? Math.min(
                                            partition.end(),
                                            Math.max(
                                                    partition.start(),
                                                    request.queryLong("offset").orElse(0L)))
                                    : partition.start(),
                            partition.end()));
        }
        search.run();
        audited.changed(
                request, "records-export " + topic.name() + " " + search.found().size());
        request.response().setContentType("application/x-ndjson");
        request.response().setHeader("Content-Disposition", "attachment; filename=\"" + topic.name() + ".ndjson\"");
        try (OutputStream out = request.response().getOutputStream()) {
            for (ShownRecord record : search.found()) {
                out.write(Json.bytes(record));
                out.write('\n');
            }
        }
        return Answer.STREAMED;
    }

    // ---- watching

    private record TailProgress(long scanned, long matched, long skipped) {}

    private Answer tail(ApiRequest request) throws IOException {
        TopicView topic = find(request);
        demandRead(request, topic.name());
        RecordFilter filter = new RecordFilter(request);
        int rate = request.query("rate", 1, 1_000, 50);
        int mostBytes = request.query("maxBytes", 16, 1 << 20, 16 << 10);
        RecordSearch problems = new RecordSearch(filter, false, 1, 1, 1, true);
        List<PartitionReading> partitions = new ArrayList<>();
        for (int number : partitions(request, topic)) {
            open(topic, number, problems).ifPresent(partitions::add);
        }
        Tail tail = new Tail(
                streams.begin(request), partitions, filter, rate, mostBytes, () -> mayRead(request, topic.name()));
        timer.schedule(tail, TAIL_EVERY_MS, TimeUnit.MILLISECONDS);
        return Answer.STREAMED;
    }

    /** Passes new records on, for as long as the stream is open and the user may read them. */
    private final class Tail implements Runnable {
        private final EventStream stream;
        private final List<PartitionReading> partitions;
        private final Map<Integer, Long> next = new TreeMap<>();
        private final RecordFilter filter;
        private final int mostOfATurn;
        private final int mostBytes;
        private final Supplier<Boolean> mayGoOn;
        private long scanned;
        private long matched;
        private long skipped;
        private int turns;

        Tail(
                EventStream stream,
                List<PartitionReading> partitions,
                RecordFilter filter,
                int rate,
                int mostBytes,
                Supplier<Boolean> mayGoOn) {
            this.stream = stream;
            this.partitions = partitions;
            this.filter = filter;
            this.mostOfATurn = Math.max(1, rate * TAIL_EVERY_MS / 1_000);
            this.mostBytes = mostBytes;
            this.mayGoOn = mayGoOn;
            partitions.forEach(partition -> next.put(partition.number(), partition.end()));
        }

        @Override
        public void run() {
            try {
                if (!stream.isOpen() || !mayGoOn.get()) {
                    stream.end();
                    return;
                }
                List<ShownRecord> news = read();
                if (!news.isEmpty() && !stream.send("records", news)) {
                    skipped += news.size();
                }
                if (++turns % (1_000 / TAIL_EVERY_MS) == 0) {
                    stream.send("progress", new TailProgress(scanned, matched, skipped));
                }
                timer.schedule(this, TAIL_EVERY_MS, TimeUnit.MILLISECONDS);
            } catch (RuntimeException failure) {
                stream.send("problem", Problem.of(failure).body());
                stream.end();
            }
        }

        /** Those beyond the rate are skipped: a tail shows what is new now. */
        private List<ShownRecord> read() {
            RecordSearch search = new RecordSearch(filter, false, mostOfATurn, 20_000, mostBytes, false);
            long behind = 0;
            for (PartitionReading partition : partitions) {
                partition.refresh();
                long from = Math.max(next.get(partition.number()), partition.start());
                if (from < partition.end()) {
                    search.add(partition, from, partition.end());
                    behind += partition.end() - from;
                }
            }
            if (behind == 0) {
                return List.of();
            }
            search.run();
            scanned += search.scanned();
            matched += search.found().size();
            long left = 0;
            Map<Integer, Long> reached = search.next();
            for (PartitionReading partition : partitions) {
                Long at = reached.get(partition.number());
                if (at != null) {
                    left += Math.max(0, partition.end() - at);
                    next.put(partition.number(), partition.end());
                }
            }
            skipped += left;
            return search.found();
        }
    }

    // ---- writing

    private record Bytes(String text, String base64) {
        byte[] toBytes() {
            if ((text == null) == (base64 == null)) {
                throw Problem.invalid("Bytes are given by text or by base64.");
            }
            try {
                return text == null ? Base64.getDecoder().decode(base64) : text.getBytes(StandardCharsets.UTF_8);
            } catch (IllegalArgumentException noBase64) {
                throw Problem.invalid("A text is no base64.");
            }
        }
    }

    private record Header(String name, Bytes value) {}

    private record Written(Integer partition, Bytes key, Bytes value, List<Header> headers) {}

    private record Produce(List<Written> records) {}

    private record Outcome(Integer partition, Long offset, Problem.Body problem) {}

    private record Outcomes(List<Outcome> records) {}

    private Answer produce(ApiRequest request) throws IOException {
        TopicView topic = find(request);
        Produce wanted = request.body(Produce.class);
        if (wanted.records() == null
                || wanted.records().isEmpty()
                || wanted.records().size() > 1_000) {
            throw Problem.invalid("A request has 1 to 1000 records.");
        } else if (topic.isInternal()) {
            throw Problem.invalid("Only the node itself writes to the topic " + topic.name() + ".");
        }
        permits.demand(request.caller(), Operation.WRITE, ResourceType.TOPIC, topic.name());
        Map<Integer, BatchBuilder> batches = new TreeMap<>();
        List<int[]> places = new ArrayList<>();
        int loose = ThreadLocalRandom.current().nextInt(topic.partitions().size());
        for (Written record : wanted.records()) {
            byte[] key = record.key() == null ? null : record.key().toBytes();
            byte[] value = record.value() == null ? null : record.value().toBytes();
            int partition = partition(record, key, topic, loose);
            BatchBuilder batch = batches.computeIfAbsent(partition, first -> new BatchBuilder());
            places.add(new int[] {partition, batch.count()});
            batch.add(System.currentTimeMillis(), wrap(key), wrap(value), headers(record));
        }
        Map<Integer, Outcome> written = new HashMap<>();
        batches.forEach((partition, batch) -> written.put(partition, append(topic.name(), partition, batch)));
        audited.changed(request, "records-produce " + topic.name() + " " + places.size());
        return Answer.of(new Outcomes(places.stream()
                .map(place -> {
                    Outcome first = written.get(place[0]);
                    return first.problem() == null ? new Outcome(place[0], first.offset() + place[1], null) : first;
                })
                .toList()));
    }

    private static ByteBuffer wrap(byte[] bytes) {
        return bytes == null ? null : ByteBuffer.wrap(bytes);
    }

    private static int partition(Written record, byte[] key, TopicView topic, int loose) {
        if (record.partition() != null) {
            if (topic.partition(record.partition()).isEmpty()) {
                throw Problem.notFound("The topic has no partition " + record.partition() + ".");
            }
            return record.partition();
        }
        return key == null ? loose : KeyHash.partition(key, topic.partitions().size());
    }

    private static List<RecordHeader> headers(Written record) {
        List<RecordHeader> headers = new ArrayList<>();
        for (Header header : record.headers() == null ? List.<Header>of() : record.headers()) {
            if (header.name() == null) {
                throw Problem.invalid("A header has a name.");
            }
            headers.add(new RecordHeader(
                    header.name(),
                    header.value() == null ? null : header.value().toBytes()));
        }
        return headers;
    }

    private Outcome append(String topic, int number, BatchBuilder batch) {
        try {
            Partition partition = services.need(Partitions.class).leader(new TopicPartition(topic, number));
            Partition.Appended appended = ApiRequest.await(partition.append(
                    batch.build().bytes(),
                    Partition.Acks.ALL,
                    Partition.Origin.CLIENT,
                    PRODUCE_TIMEOUT,
                    Turn.IMMEDIATE));
            return new Outcome(number, appended.baseOffset(), null);
        } catch (RuntimeException failure) {
            return new Outcome(number, null, Problem.of(failure).body());
        }
    }
}
