package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Java;
import io.felice.itests.rig.Wire;
import java.io.EOFException;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersion;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.ProduceResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The broker answers any bytes that arrive on a connection, or it closes that connection. Other connections are not
 * affected, and no memory leaks.
 */
@Timeout(1800)
@ParameterizedClass
@EnumSource(BadInputTest.Kept.class)
class BadInputTest {
    enum Kept {
        IN_MEMORY,
        ON_DISK
    }

    private static final int MUTATIONS_PER_VERSION = Integer.getInteger("felice.mutations", 8);
    private static final int ANSWER_WITHIN_MS = 40;
    private static final int CLOSED_WITHIN_MS = 30_000;
    private static final int CLAIMING_SOCKETS = 100;
    private static final int CLAIMED_BYTES = 100_000_000;
    private static final int SLOW_WRITERS = 30;
    private static final int SLOW_PRODUCERS = 24;
    private static final int RECORDS_OF_A_SLOW_PRODUCER = 20;
    private static final int BYTES_AT_A_TIME = 7;
    private static final int MS_BETWEEN_BYTES = 30;
    private static final long MEMORY_LEFT_BEHIND = 16L << 20;
    /** After this time the producer beside gives a record up, which is a failure. */
    private static final int PATIENCE_BESIDE_MS = 5_000;

    private final long seed =
            Long.getLong("felice.seed", ThreadLocalRandom.current().nextLong());
    private final Random random = new Random(seed);

    @Parameter
    Kept kept;

    @TempDir
    Path directory;

    private Node node;
    private Bystander bystander;
    private long memoryBefore;

    @BeforeEach
    void aProducerIsAtWork() throws Exception {
        System.out.println("BadInputTest " + kept + " felice.seed=" + seed);
        node = kept == Kept.IN_MEMORY ? Node.inMemory() : Node.in(directory);
        bystander = Bystander.of(node.bootstrap());
        bystander.warmUp();
        memoryBefore = memory();
    }

    @AfterEach
    void stop() {
        bystander.close();
        node.close();
    }

    @Test
    void mutatedRequestsOfEveryKeyAndVersionAreAnsweredOrCloseTheConnection() throws Exception {
        int answered = 0;
        int closed = 0;
        try (ValidRequests valid = new ValidRequests(node.bootstrap());
                Wire wire = new Wire(node.bootstrap())) {
            for (ApiVersion api : wire.advertised()) {
                ApiKeys key = ApiKeys.forId(api.apiKey());
                for (int version = Math.max(api.minVersion(), key.oldestVersion());
                        version <= api.maxVersion();
                        version++) {
                    RequestHeader header = new RequestHeader(key, (short) version, "fuzz", 1);
                    byte[] sound = Wire.bytes(header, valid.of(key, version));
                    for (int i = 0; i < MUTATIONS_PER_VERSION; i++) {
                        if (isAnswered(mutated(sound))) {
                            answered++;
                        } else {
                            closed++;
                        }
                    }
                    bystander.mustBeWell(key + " " + version + ", seed " + seed);
                }
            }
        }
        System.out.println(answered + " mutated requests were answered, " + closed + " connections closed");

        bystander.mustNotBeAffected();
        deleteTopicsOfValidRequests();
        memoryMustBeBack();
    }

    @Test
    void bytesThatAreNotFramesAreAnsweredOrCloseTheConnection() throws Exception {
        for (int length : new int[] {Integer.MIN_VALUE, -1, 0, 1, 7, 104_857_601, Integer.MAX_VALUE}) {
            try (Wire wire = new Wire(node.bootstrap())) {
                wire.sendRaw(ByteBuffer.allocate(4).putInt(length).array());
                wire.sendRaw(new byte[Math.max(0, Math.min(length, 16))]);
                wire.socket().shutdownOutput();
                mustClose(wire);
            }
        }
        for (String text :
                List.of("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "\u0016\u0003\u0001\u0002\u0000\u0001")) {
            try (Wire wire = new Wire(node.bootstrap())) {
                wire.sendRaw(text.getBytes(StandardCharsets.ISO_8859_1));
                wire.socket().shutdownOutput();
                mustClose(wire);
            }
        }
        for (int i = 0; i < 200; i++) {
            byte[] noise = new byte[random.nextInt(2000)];
            random.nextBytes(noise);
            isAnswered(noise);
        }

        bystander.mustNotBeAffected();
        memoryMustBeBack();
    }

    @Test
    void oneHundredSocketsThatClaimOneHundredMegabytesEachUseLittleMemory() throws Exception {
        List<Wire> claims = new ArrayList<>();
        try {
            for (int i = 0; i < CLAIMING_SOCKETS; i++) {
                Wire wire = new Wire(node.bootstrap());
                claims.add(wire);
                if (i % 4 != 0) {
                    wire.advertised();
                }
                claim(wire);
            }
            bystander.mustBeWell("a hundred claims");
            Thread.sleep(500);
            assertThat(memory() - memoryBefore)
                    .as("memory while the claims stand")
                    .isLessThan(MEMORY_LEFT_BEHIND);
        } finally {
            for (Wire wire : claims) {
                wire.close();
            }
        }

        bystander.mustNotBeAffected();
        memoryMustBeBack();
    }

    @Test
    void slowWritersGetTheirAnswers() throws Exception {
        List<Wire> slow = new ArrayList<>();
        byte[] frame = Wire.bytes(
                new RequestHeader(ApiKeys.API_VERSIONS, (short) 3, "slow", 1),
                new ApiVersionsRequestData().setClientSoftwareName("slow").setClientSoftwareVersion("1"));
        byte[] whole = ByteBuffer.allocate(4 + frame.length)
                .putInt(frame.length)
                .put(frame)
                .array();
        for (int i = 0; i < SLOW_WRITERS; i++) {
            slow.add(new Wire(node.bootstrap()));
        }
        for (byte one : whole) {
            for (Wire wire : slow) {
                wire.sendRaw(new byte[] {one});
            }
            Thread.sleep(10);
        }
        for (Wire wire : slow) {
            assertThat(wire.receive()).isNotEmpty();
            wire.close();
        }

        bystander.mustNotBeAffected();
        memoryMustBeBack();
    }

    @Test
    void slowProducersAreServedAndIncompleteRequestsLeaveNoRecords() throws Exception {
        Java.createTopic(node.bootstrap(), "slow", SLOW_PRODUCERS, Map.of());
        List<SlowProducer> producers = new ArrayList<>();
        for (int partition = 0; partition < SLOW_PRODUCERS; partition++) {
            producers.add(new SlowProducer(partition));
        }
        try {
            long began = System.nanoTime();
            while (producers.stream().anyMatch(SlowProducer::hasMore)) {
                for (SlowProducer producer : producers) {
                    producer.writeAFewBytes();
                }
                Thread.sleep(MS_BETWEEN_BYTES);
            }
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isGreaterThan(Duration.ofSeconds(3));
            for (SlowProducer producer : producers) {
                producer.mustBeAnsweredIfComplete();
            }
            bystander.mustBeWell("slow producers, while some stand in the middle of a request, seed " + seed);
        } finally {
            for (SlowProducer producer : producers) {
                producer.close();
            }
        }
        for (SlowProducer producer : producers) {
            assertThat(Java.values(node.bootstrap(), "slow", producer.partition))
                    .as("partition %d, seed %d", producer.partition, seed)
                    .isEqualTo(producer.expected());
        }

        bystander.mustNotBeAffected();
        memoryMustBeBack();
    }

    private enum End {
        COMES,
        NEVER_COMES,
        IS_CUT_OFF
    }

    /**
     * Writes one valid request to a partition of its own, a few bytes at a time. Two of four slow producers never send
     * the whole request.
     */
    private final class SlowProducer {
        private final int partition;
        private final End end;
        private final RequestHeader header;
        private final byte[] frame;
        private final int last;
        private final Wire wire = new Wire(node.bootstrap());
        private int written;

        SlowProducer(int partition) throws IOException {
            this.partition = partition;
            end = partition % 4 == 0 ? End.NEVER_COMES : partition % 4 == 1 ? End.IS_CUT_OFF : End.COMES;
            header = new RequestHeader(ApiKeys.PRODUCE, (short) 9, "slow", partition);
            byte[] bytes = Wire.bytes(header, produced(partition, values()));
            frame = ByteBuffer.allocate(4 + bytes.length)
                    .putInt(bytes.length)
                    .put(bytes)
                    .array();
            last = end == End.COMES ? frame.length : 1 + random.nextInt(frame.length - 1);
        }

        private List<String> values() {
            return Java.numbered(
                    "a slow producer's record for partition " + partition + ":", RECORDS_OF_A_SLOW_PRODUCER);
        }

        List<String> expected() {
            return end == End.COMES ? values() : List.of();
        }

        boolean hasMore() {
            return written < last;
        }

        void writeAFewBytes() throws IOException {
            int until = Math.min(last, written + BYTES_AT_A_TIME);
            if (hasMore()) {
                wire.sendRaw(Arrays.copyOfRange(frame, written, until));
                written = until;
                if (end == End.IS_CUT_OFF && !hasMore()) {
                    wire.close();
                }
            }
        }

        void mustBeAnsweredIfComplete() throws IOException {
            if (end == End.COMES) {
                ProduceResponse response =
                        (ProduceResponse) AbstractResponse.parseResponse(ByteBuffer.wrap(wire.receive()), header);
                assertThat(response.errorCounts()).containsExactly(Map.entry(Errors.NONE, 1));
            }
        }

        void close() throws IOException {
            wire.close();
        }
    }

    private static ProduceRequestData produced(int partition, List<String> values) {
        SimpleRecord[] records = values.stream()
                .map(value -> new SimpleRecord(value.getBytes(StandardCharsets.UTF_8)))
                .toArray(SimpleRecord[]::new);
        return new ProduceRequestData()
                .setAcks((short) -1)
                .setTimeoutMs(30_000)
                .setTopicData(new TopicProduceDataCollection(List.of(new TopicProduceData()
                                .setName("slow")
                                .setPartitionData(List.of(new PartitionProduceData()
                                        .setIndex(partition)
                                        .setRecords(MemoryRecords.withRecords(Compression.NONE, records)))))
                        .iterator()));
    }

    /** Sends only the beginning of a request whose length says a hundred megabytes. */
    private static void claim(Wire wire) throws IOException {
        RequestHeader header = new RequestHeader(ApiKeys.PRODUCE, (short) 9, "claims", 1);
        byte[] begun = Wire.bytes(header, new ProduceRequestData());
        try {
            wire.sendRaw(ByteBuffer.allocate(4 + begun.length + 10_000)
                    .putInt(CLAIMED_BYTES)
                    .put(begun)
                    .array());
        } catch (SocketException closedAtOnce) {
            // The broker may close the connection.
        }
    }

    // ---- one bad frame

    /**
     * Changes a valid frame: truncates it, flips bits, overwrites a length with a wrong one, appends noise, or replaces
     * all but its first bytes with noise. The result may be valid by chance.
     */
    private byte[] mutated(byte[] sound) {
        byte[] bytes = sound.clone();
        switch (random.nextInt(6)) {
            case 0:
                return Arrays.copyOf(bytes, random.nextInt(bytes.length));
            case 1:
                for (int i = random.nextInt(8); i >= 0; i--) {
                    bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
                }
                return bytes;
            case 2:
                int lie = new int[] {Integer.MAX_VALUE, -2, 100_000_000, 65_536}[random.nextInt(4)];
                ByteBuffer.wrap(bytes).putInt(random.nextInt(bytes.length - 3), lie);
                return bytes;
            case 3:
                for (int at = random.nextInt(bytes.length), i = 0; i < 5 && at + i < bytes.length; i++) {
                    bytes[at + i] = i < 4 ? (byte) 0xff : 0x07;
                }
                return bytes;
            case 4:
                byte[] longer = Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(200));
                for (int i = bytes.length; i < longer.length; i++) {
                    longer[i] = (byte) random.nextInt();
                }
                return longer;
            default:
                for (int i = Math.min(bytes.length - 1, 8 + random.nextInt(12)); i < bytes.length; i++) {
                    bytes[i] = (byte) random.nextInt();
                }
                return bytes;
        }
    }

    /**
     * Sends the frame and returns whether the broker answers it. If it does not, the broker must close the connection,
     * at the latest when the client has ended its side.
     */
    private boolean isAnswered(byte[] frame) throws IOException {
        try (Wire wire = new Wire(node.bootstrap())) {
            wire.send(frame);
            wire.socket().setSoTimeout(ANSWER_WITHIN_MS);
            try {
                wire.receive();
                return true;
            } catch (SocketTimeoutException waitingForSomething) {
                wire.socket().shutdownOutput();
                mustClose(wire);
                return false;
            }
        } catch (EOFException | SocketException closed) {
            return false;
        }
    }

    private void mustClose(Wire wire) throws IOException {
        wire.socket().setSoTimeout(CLOSED_WITHIN_MS);
        try {
            while (wire.socket().getInputStream().read() >= 0) {
                continue;
            }
        } catch (SocketTimeoutException open) {
            throw new AssertionError("the connection stays open, seed " + seed);
        } catch (SocketException reset) {
            // The broker closed the connection before it had read everything.
        }
    }

    // ---- memory

    /**
     * Some mutated requests are valid and create topics, perhaps with thousands of partitions. Deletes these topics,
     * because their memory is not a leak.
     */
    private void deleteTopicsOfValidRequests() throws Exception {
        try (Admin admin = Java.admin(node.bootstrap())) {
            Set<String> topics = new HashSet<>(admin.listTopics().names().get());
            topics.remove("bystander");
            admin.deleteTopics(topics).all().get();
        }
    }

    private void memoryMustBeBack() throws Exception {
        long left = Long.MAX_VALUE;
        for (int attempt = 0; attempt < 20 && left > MEMORY_LEFT_BEHIND; attempt++) {
            left = memory() - memoryBefore;
        }
        System.out.println("memory left behind: " + (left >> 10) + " KB");
        assertThat(left).as("bytes left behind, seed %d", seed).isLessThan(MEMORY_LEFT_BEHIND);
    }

    /** The bytes of live heap objects and direct buffers. */
    private static long memory() throws Exception {
        for (int i = 0; i < 3; i++) {
            System.gc();
            Thread.sleep(50);
        }
        long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
        long direct = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
        return heap + direct;
    }

    private static final class Bystander implements AutoCloseable {
        private final org.apache.kafka.clients.producer.KafkaProducer<String, String> producer;
        private final Thread thread = new Thread(this::work, "bystander");
        private volatile boolean ends;
        private volatile Exception failure;
        private volatile long slowest;
        private volatile long written;

        private Bystander(String bootstrap) {
            producer = Java.textProducer(
                    bootstrap,
                    Map.of(
                            "acks",
                            "all",
                            "retries",
                            0,
                            "enable.idempotence",
                            false,
                            "request.timeout.ms",
                            PATIENCE_BESIDE_MS,
                            "delivery.timeout.ms",
                            2 * PATIENCE_BESIDE_MS));
        }

        static Bystander of(String bootstrap) {
            Java.createTopic(bootstrap, "bystander", 1, Map.of("retention.bytes", "1000000"));
            Bystander bystander = new Bystander(bootstrap);
            bystander.thread.start();
            return bystander;
        }

        void warmUp() throws InterruptedException {
            while (written < 200 && failure == null) {
                Thread.sleep(10);
            }
            slowest = 0;
        }

        void mustBeWell(String when) {
            assertThat(failure).as("the producer beside, after " + when).isNull();
        }

        void mustNotBeAffected() throws InterruptedException {
            long more = written + 10;
            while (written < more && failure == null) {
                Thread.sleep(10);
            }
            mustBeWell("everything");
            System.out.println(written + " records beside, the slowest in " + slowest + " ms");
        }

        private void work() {
            while (!ends && failure == null) {
                try {
                    long began = System.nanoTime();
                    producer.send(new org.apache.kafka.clients.producer.ProducerRecord<>("bystander", "value"))
                            .get();
                    slowest = Math.max(slowest, (System.nanoTime() - began) / 1_000_000);
                    written++;
                    Thread.sleep(5);
                } catch (Exception problem) {
                    failure = problem;
                }
            }
        }

        @Override
        public void close() {
            ends = true;
            try {
                thread.join();
            } catch (InterruptedException interrupted) {
                throw new AssertionError(interrupted);
            }
            producer.close();
        }
    }
}
