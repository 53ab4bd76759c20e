package io.felice.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import io.felice.api.ErrorCode;
import io.felice.protocol.Apis;
import io.felice.protocol.CloseConnection;
import io.felice.protocol.KafkaMessages;
import io.felice.protocol.MalformedRequest;
import io.felice.protocol.RequestContext;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.utils.internals.ByteUtils;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Any bytes from a client are answered or close its connection, and do not affect other connections. */
@Timeout(120)
class HostileInputTest {
    private static final int MOST_ELEMENTS = 1_000_000;
    private static final int MOST_TAGGED_FIELDS = 10_000;
    private static final int FAR_TOO_MANY_ELEMENTS = 4_000_000;
    private static final byte[] LARGE_FIXED_NUMBER =
            ByteBuffer.allocate(4).putInt(FAR_TOO_MANY_ELEMENTS).array();
    private static final byte[] LARGE_VARINT = varint(FAR_TOO_MANY_ELEMENTS + 1);

    private TestNode node;

    @BeforeEach
    void open() {
        node = new TestNode(Map.of());
    }

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void everyApiSurvivesEveryKindOfBadFrame() throws Exception {
        long seed = Long.getLong("seed", System.nanoTime());
        Random random = new Random(seed);
        bindEverything(random.nextLong());
        RandomRequests requests = new RandomRequests(random);
        AtomicBoolean over = new AtomicBoolean();
        AtomicLong beats = new AtomicLong();
        CompletableFuture<Void> neighbour = CompletableFuture.runAsync(() -> beatUntil(over, beats));

        for (ApiMessageType api : served()) {
            for (short version = api.lowestSupportedVersion();
                    version <= api.highestSupportedVersion(true);
                    version++) {
                for (Mischief mischief : Mischief.values()) {
                    byte[] bytes = mischief.with(requests.frame(api, version, 1), random);
                    assertThat(isAnsweredOrClosed(bytes))
                            .as("seed %d: %s v%d %s", seed, api.name, version, mischief)
                            .isTrue();
                }
            }
        }

        over.set(true);
        neighbour.join();
        assertThat(beats).hasPositiveValue();
        node.awaitNumber("network.connections", "PLAINTEXT", "open", 0);
        node.awaitNumber("network.limits", "requests.bytes", "used", 0);
        node.awaitNumber("network.limits", "answers.bytes", "used", 0);
        for (ApiMessageType api : served()) {
            assertThat(node.number("network.requests", api.name, "in.flight"))
                    .as("seed %d: %s", seed, api.name)
                    .isEqualTo(0L);
        }
    }

    private void beatUntil(AtomicBoolean over, AtomicLong beats) {
        try (TestClient client = node.connect()) {
            for (int i = 0; !over.get(); i++) {
                client.send(Apis.HEARTBEAT, 4, i, heartbeat());
                assertThat(client.receiveCorrelationId()).isEqualTo(i);
                beats.incrementAndGet();
                Thread.sleep(1);
            }
        } catch (IOException | InterruptedException failure) {
            throw new IllegalStateException(failure);
        }
    }

    /** Sends all bytes and shuts down the output. The node must answer or close the connection. */
    private boolean isAnsweredOrClosed(byte[] bytes) throws IOException {
        try (TestClient client = node.connect()) {
            try {
                client.sendRaw(bytes);
                client.socket.shutdownOutput();
            } catch (IOException closedAlready) {
                return true;
            }
            byte[] sink = new byte[8192];
            while (client.socket.getInputStream().read(sink) >= 0) {
                // answers to what was right in it
            }
            return true;
        } catch (java.net.SocketTimeoutException silent) {
            return false;
        } catch (IOException reset) {
            return true;
        }
    }

    private void bindEverything(long seed) {
        Random random = new Random(seed);
        for (ApiMessageType api : served()) {
            node.bind(
                    api.apiKey(),
                    api.lowestSupportedVersion(),
                    api.highestSupportedVersion(true),
                    (ApiMessage request, RequestContext context) -> answer(api, random));
        }
    }

    private static CompletionStage<ApiMessage> answer(ApiMessageType api, Random random) {
        synchronized (random) {
            return random.nextInt(3) == 0
                    ? CompletableFuture.failedFuture(ErrorCode.INVALID_REQUEST.because("on purpose"))
                    : CompletableFuture.completedFuture(api.newResponse());
        }
    }

    private static List<ApiMessageType> served() {
        List<ApiMessageType> served = new ArrayList<>();
        for (ApiMessageType api : ApiMessageType.values()) {
            if (api.highestSupportedVersion(true) >= api.lowestSupportedVersion()) {
                served.add(api);
            }
        }
        return served;
    }

    /** A way to make a bad frame. */
    private enum Mischief {
        NONE,
        TRUNCATED,
        LONGER_THAN_IT_SAYS,
        SAYS_A_HUNDRED_MEGABYTES,
        SAYS_TOO_MUCH,
        SAYS_LESS_THAN_NOTHING,
        LARGE_NUMBER_INSIDE,
        BITS_FLIPPED,
        BYTES_LEFT_OVER,
        UNKNOWN_KEY,
        UNKNOWN_VERSION,
        GARBAGE_AFTER_A_GOOD_ONE;

        byte[] with(byte[] good, Random random) {
            ByteBuffer frame = ByteBuffer.wrap(good.clone());
            int length = good.length - 4;
            switch (this) {
                case NONE -> {}
                case TRUNCATED -> {
                    return Arrays.copyOf(good, random.nextInt(good.length));
                }
                case LONGER_THAN_IT_SAYS -> frame.putInt(0, random.nextInt(length));
                case SAYS_A_HUNDRED_MEGABYTES -> frame.putInt(0, 100 * 1024 * 1024);
                case SAYS_TOO_MUCH -> frame.putInt(0, Integer.MAX_VALUE - random.nextInt(1000));
                case SAYS_LESS_THAN_NOTHING -> frame.putInt(0, -1 - random.nextInt(1000));
                case LARGE_NUMBER_INSIDE -> {
                    if (length > 16) {
                        frame.putInt(12 + random.nextInt(length - 12), Integer.MAX_VALUE - random.nextInt(1 << 30));
                    }
                }
                case BITS_FLIPPED -> {
                    for (int i = 1 + random.nextInt(8); i > 0; i--) {
                        int at = 4 + random.nextInt(length);
                        frame.put(at, (byte) (frame.get(at) ^ 1 << random.nextInt(8)));
                    }
                }
                case BYTES_LEFT_OVER -> {
                    int more = 1 + random.nextInt(50);
                    return ByteBuffer.wrap(Arrays.copyOf(good, good.length + more))
                            .putInt(0, length + more)
                            .array();
                }
                case UNKNOWN_KEY -> frame.putShort(4, (short) (random.nextBoolean() ? -7 : 200 + random.nextInt(3000)));
                case UNKNOWN_VERSION -> frame.putShort(6, (short) (random.nextBoolean() ? -1 : 99));
                case GARBAGE_AFTER_A_GOOD_ONE -> {
                    byte[] garbage = new byte[random.nextInt(500)];
                    random.nextBytes(garbage);
                    return ByteBuffer.allocate(good.length + garbage.length)
                            .put(good)
                            .put(garbage)
                            .array();
                }
            }
            return frame.array();
        }
    }

    @Test
    void anUnsupportedApiVersionsRequestGetsTheRangesInVersionZero() throws IOException {
        node.bindApiVersions();
        node.bindNow(
                Apis.HEARTBEAT,
                0,
                4,
                (HeartbeatRequestData request, RequestContext context) -> new HeartbeatResponseData());
        try (TestClient client = node.connect()) {
            byte[] tooNew = TestClient.frame(Apis.API_VERSIONS, 3, 5, new ApiVersionsRequestData());
            client.sendRaw(ByteBuffer.wrap(tooNew).putShort(6, (short) 17).array());

            ApiVersionsResponseData answer = client.receive(Apis.API_VERSIONS, 0, 5, new ApiVersionsResponseData());

            assertThat(answer.errorCode()).isEqualTo(ErrorCode.UNSUPPORTED_VERSION.code());
            assertThat(answer.apiKeys().find(Apis.HEARTBEAT).maxVersion()).isEqualTo((short) 4);
            assertThat(answer.apiKeys().find(Apis.API_VERSIONS).maxVersion()).isEqualTo((short) 4);
            assertThat(client.ask(Apis.API_VERSIONS, 3, 6, new ApiVersionsRequestData(), answer)
                            .errorCode())
                    .isZero();
        }
    }

    @Test
    void anOldProduceRequestClosesTheConnectionAlthoughItsVersionIsAdvertised() throws IOException {
        node.bindNow(
                Apis.PRODUCE, 3, 11, (ProduceRequestData request, RequestContext context) -> new ProduceResponseData());
        try (TestClient client = node.connect()) {
            byte[] old = TestClient.frame(Apis.PRODUCE, 3, 5, new ProduceRequestData());
            client.sendRaw(ByteBuffer.wrap(old).putShort(6, (short) 2).array());

            assertThat(client.isClosed(5000)).isTrue();
        }
        node.awaitNumber("network.connections", "PLAINTEXT", "malformed", 1);
    }

    @Test
    void aFalseNumberOfElementsInALargeRequestAllocatesNoMemoryForThem() {
        ByteBuffer frame = ByteBuffer.allocate(64 * 1024 * 1024)
                .putShort(Apis.PRODUCE)
                .putShort((short) 8)
                .putInt(1)
                .putShort((short) -1)
                .putShort((short) -1)
                .putShort((short) 1)
                .putInt(1000)
                .putInt(60_000_000)
                .rewind();
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getThreadAllocatedBytes(Thread.currentThread().getId());

        assertThatThrownBy(() -> KafkaMessages.parse(frame)).isInstanceOf(MalformedRequest.class);

        assertThat(threads.getThreadAllocatedBytes(Thread.currentThread().getId()) - before)
                .isLessThan(16 * 1024 * 1024L);
    }

    @Test
    void bytesAfterTheEndOfARequestAreIgnoredInEveryVersionOfEveryApi() throws Exception {
        long seed = Long.getLong("seed", System.nanoTime());
        RandomRequests requests = new RandomRequests(new Random(seed));
        AtomicReference<Message> received = new AtomicReference<>();
        for (ApiMessageType api : served()) {
            node.bindNow(
                    api.apiKey(),
                    api.lowestSupportedVersion(),
                    api.highestSupportedVersion(true),
                    (ApiMessage request, RequestContext context) -> {
                        // The request is copied, because the bytes of its frame are valid only during this call.
                        received.set(request.duplicate());
                        throw new CloseConnection("the test has seen what it wants");
                    });
        }

        for (ApiMessageType api : served()) {
            for (short version = api.lowestSupportedVersion();
                    version <= api.highestSupportedVersion(true);
                    version++) {
                byte[] plain = requests.frame(api, version, 1);
                ByteBuffer longer = ByteBuffer.wrap(Arrays.copyOf(plain, plain.length + 4));
                longer.putInt(0, plain.length).putInt(plain.length, -1);
                ByteBuffer frame = ByteBuffer.wrap(plain, 4, plain.length - 4);
                received.set(null);

                assertThat(isAnsweredOrClosed(longer.array())).isTrue();

                assertThat(received.get())
                        .as("seed %d: %s v%d", seed, api.name, version)
                        .isEqualTo(KafkaMessages.parse(frame).message());
            }
        }
        assertThat(node.number("network.connections", "PLAINTEXT", "malformed")).isEqualTo(0L);
    }

    @Test
    void aRequestWithBytesAfterItsEndIsAnsweredAndSoIsTheNextRequest() throws IOException {
        node.bindNow(
                Apis.HEARTBEAT,
                0,
                4,
                (HeartbeatRequestData request, RequestContext context) -> new HeartbeatResponseData());
        try (TestClient client = node.connect()) {
            byte[] plain = TestClient.frame(Apis.HEARTBEAT, 4, 1, heartbeat());
            byte[] longer = Arrays.copyOf(plain, plain.length + 3);
            client.sendRaw(ByteBuffer.wrap(longer).putInt(0, longer.length - 4).array());

            assertThat(client.receiveCorrelationId()).isEqualTo(1);
            client.send(Apis.HEARTBEAT, 4, 2, heartbeat());
            assertThat(client.receiveCorrelationId()).isEqualTo(2);
        }
    }

    /** Replaces numbers at every position of a request by a large one, which may be a number of elements. */
    @Test
    void noApiAllocatesMemoryForMoreElementsThanKafkaAllows() {
        long seed = Long.getLong("seed", System.nanoTime());
        RandomRequests requests = new RandomRequests(new Random(seed));
        ByteBuffer frame = ByteBuffer.allocate(FAR_TOO_MANY_ELEMENTS + 64 * 1024);
        // No element of any kind begins with these bytes, so that the parser finds no elements after the false number.
        Arrays.fill(frame.array(), (byte) -1);
        for (ApiMessageType api : served()) {
            for (short version :
                    new TreeSet<>(List.of(api.lowestSupportedVersion(), api.highestSupportedVersion(true)))) {
                byte[] good = requests.frame(api, version, 1);
                for (int at = 12; at < good.length && at < 120; at++) {
                    for (byte[] number : List.of(LARGE_FIXED_NUMBER, LARGE_VARINT)) {
                        frame.put(0, good, 4, at - 4).put(at - 4, number);

                        assertThat(bytesAllocatedToParse(frame))
                                .as("seed %d: %s v%d at %d", seed, api.name, version, at)
                                .isLessThan(2L * FAR_TOO_MANY_ELEMENTS);

                        Arrays.fill(frame.array(), 0, good.length + 8, (byte) -1);
                    }
                }
            }
        }
    }

    private static long bytesAllocatedToParse(ByteBuffer frame) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
        parseOrRefuse(frame);
        return threads.getThreadAllocatedBytes(Thread.currentThread().getId()) - before;
    }

    private static void parseOrRefuse(ByteBuffer frame) {
        try {
            KafkaMessages.parse(frame);
        } catch (MalformedRequest refused) {
            // expected if the number is the length of an array
        }
    }

    @Test
    void moreElementsOrTaggedFieldsThanKafkaAllowsCloseTheConnection() throws IOException {
        node.bindNow(
                Apis.METADATA,
                0,
                12,
                (MetadataRequestData request, RequestContext context) -> new MetadataResponseData());

        assertThat(isClosedAfter(metadata(0, MOST_ELEMENTS + 1, 0))).isTrue();
        assertThat(isClosedAfter(metadata(MOST_TAGGED_FIELDS + 1, 0, 0))).isTrue();
        assertThat(isClosedAfter(metadata(0, 0, MOST_TAGGED_FIELDS + 1))).isTrue();

        node.awaitNumber("network.connections", "PLAINTEXT", "malformed", 3);
        assertThat(isClosedAfter(metadata(MOST_TAGGED_FIELDS, 0, MOST_TAGGED_FIELDS)))
                .isFalse();
    }

    /** All topics of the Produce request have the same bucket in a hash table. */
    @Test
    void elementsOfEqualHashCloseTheConnectionInsteadOfBlockingItsThread() throws IOException {
        node.bindNow(
                Apis.PRODUCE, 3, 11, (ProduceRequestData request, RequestContext context) -> new ProduceResponseData());

        assertThat(isClosedAfter(produceToTopicsWithoutAName(100_000))).isTrue();

        node.awaitNumber("network.connections", "PLAINTEXT", "malformed", 1);
    }

    /** A Produce request, version 9; every topic has a name, partitions, and tagged fields, one byte each. */
    private static byte[] produceToTopicsWithoutAName(int topics) {
        ByteBuffer frame = ByteBuffer.allocate(64 + 3 * topics);
        frame.putInt(frame.capacity() - 4)
                .putShort(Apis.PRODUCE)
                .putShort((short) 9)
                .putInt(1)
                .putShort((short) -1);
        frame.put((byte) 0).put((byte) 0).putShort((short) 1).putInt(1000);
        ByteUtils.writeUnsignedVarint(topics + 1, frame);
        for (int i = 0; i < topics; i++) {
            frame.put((byte) 1).put((byte) 1).put((byte) 0);
        }
        return frame.array();
    }

    private boolean isClosedAfter(byte[] frame) throws IOException {
        try (TestClient client = node.connect()) {
            client.sendRaw(frame);
            return client.isClosed(60_000);
        }
    }

    /**
     * A Metadata request, version 9: tagged fields in its header, topics with one byte for each field, tagged fields.
     */
    private static byte[] metadata(int headerTags, int topics, int tags) {
        ByteBuffer frame = ByteBuffer.allocate(4 + 16 + 3 * headerTags + 2 * topics + 16 + 3 * tags);
        frame.putInt(frame.capacity() - 4)
                .putShort(Apis.METADATA)
                .putShort((short) 9)
                .putInt(1)
                .putShort((short) -1);
        putTags(frame, headerTags);
        ByteUtils.writeUnsignedVarint(topics + 1, frame);
        for (int i = 0; i < topics; i++) {
            frame.put((byte) 1).put((byte) 0);
        }
        frame.put((byte) 0).put((byte) 0).put((byte) 0);
        putTags(frame, tags);
        return frame.array();
    }

    private static byte[] varint(int value) {
        ByteBuffer bytes = ByteBuffer.allocate(5);
        ByteUtils.writeUnsignedVarint(value, bytes);
        return Arrays.copyOf(bytes.array(), bytes.position());
    }

    private static void putTags(ByteBuffer frame, int tags) {
        ByteUtils.writeUnsignedVarint(tags, frame);
        for (int i = 0; i < tags; i++) {
            ByteUtils.writeUnsignedVarint(200 + i % 10_000, frame);
            frame.put((byte) 0);
        }
    }

    @Test
    void keepsBytesIsTrueExactlyForRequestsThatReferToTheBytesOfTheirFrame() {
        assertThat(Apis.all()).allSatisfy(row -> assertThat(row.keepsBytes())
                .as(ApiNames.of(row.key()))
                .isEqualTo(TestNode.refersToBytes(ApiMessageType.fromApiKey(row.key()))));
    }

    private static HeartbeatRequestData heartbeat() {
        return new HeartbeatRequestData().setGroupId("g").setMemberId("m");
    }
}
