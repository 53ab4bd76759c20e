package io.felice.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.storage.Records;
import io.felice.protocol.Apis;
import io.felice.protocol.PinnedRecords;
import io.felice.protocol.RequestContext;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranges of files and buffers of memory arrive byte for byte, in order, however they are sent. */
@Timeout(60)
class FileAnswerTest {
    private static final int FILE_BYTES = 4 * 1024 * 1024;

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"auto", "buffer", "sendfile"})
    void mixedPipelinedAnswersArriveByteForByte(String transfer) throws Exception {
        long seed = System.nanoTime();
        byte[] content = new byte[FILE_BYTES];
        new Random(seed).nextBytes(content);
        ByteBuffer direct = ByteBuffer.allocateDirect(FILE_BYTES).put(0, content);
        AtomicInteger pins = new AtomicInteger();
        List<byte[]> expected = new ArrayList<>();
        Path file = Files.write(directory.resolve("log"), content);
        try (TestNode node = new TestNode(Map.of("fetch_transfer", transfer));
                FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            node.bind(Apis.FETCH, 4, 12, (FetchRequestData request, RequestContext context) -> {
                Random random = new Random(seed + context.correlationId());
                List<Records> parts = new ArrayList<>();
                for (int i = random.nextInt(4); i >= 0; i--) {
                    parts.add(part(random, channel, content, direct, pins));
                }
                CompletableFuture<FetchResponseData> later = new CompletableFuture<>();
                context.turn().atEnd(() -> later.complete(answer(parts)));
                return later;
            });
            try (TestClient client = node.connect()) {
                for (int i = 0; i < 60; i++) {
                    client.send(Apis.FETCH, 12, i, new FetchRequestData());
                    expected.add(expected(new Random(seed + i), content));
                }
                for (int i = 0; i < 60; i++) {
                    ByteBuffer frame = client.receive();
                    assertThat(records(frame, i))
                            .as("seed %d, answer %d", seed, i)
                            .isEqualTo(expected.get(i));
                }
            }
            await().untilAsserted(() -> assertThat(pins).hasValue(0));
            node.awaitNumber("network.limits", "pins", "used", 0);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"buffer", "sendfile"})
    void aRangeBeyondTheEndOfItsFileClosesTheConnection(String transfer) throws Exception {
        AtomicInteger pins = new AtomicInteger(1);
        Path file = Files.write(directory.resolve("short"), new byte[1000]);
        try (TestNode node = new TestNode(Map.of("fetch_transfer", transfer));
                FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            node.bindNow(
                    Apis.FETCH,
                    4,
                    12,
                    (FetchRequestData request, RequestContext context) ->
                            answer(List.of(new Records.InFile(channel, 500, 50_000, 1, pins::decrementAndGet))));
            try (TestClient client = node.connect()) {
                client.send(Apis.FETCH, 12, 1, new FetchRequestData());

                await().untilAsserted(() -> assertThat(pins).hasValue(0));
                node.awaitNumber("network.connections", "PLAINTEXT", "open", 0);
            }
        }
    }

    private static Records part(
            Random random, FileChannel channel, byte[] content, ByteBuffer direct, AtomicInteger pins) {
        int kind = random.nextInt(3);
        int length = length(random);
        int from = random.nextInt(content.length - length);
        pins.incrementAndGet();
        return switch (kind) {
            case 0 -> new Records.InFile(channel, from, length, 1, pins::decrementAndGet);
            case 1 -> new Records.InMemory(List.of(ByteBuffer.wrap(content, from, length)), 1, pins::decrementAndGet);
            default -> new Records.InMemory(List.of(direct.slice(from, length)), 1, pins::decrementAndGet);
        };
    }

    private static int length(Random random) {
        return switch (random.nextInt(3)) {
            case 0 -> 1 + random.nextInt(100);
            case 1 -> 1 + random.nextInt(20_000);
            default -> 1 + random.nextInt(1_000_000);
        };
    }

    private static byte[] expected(Random random, byte[] content) {
        ByteBuffer all = ByteBuffer.allocate(4 * 1_000_000);
        for (int i = random.nextInt(4); i >= 0; i--) {
            random.nextInt(3);
            int length = length(random);
            all.put(content, random.nextInt(content.length - length), length);
        }
        byte[] bytes = new byte[all.flip().remaining()];
        all.get(bytes);
        return bytes;
    }

    private static FetchResponseData answer(List<Records> parts) {
        List<FetchResponseData.PartitionData> partitions = new ArrayList<>();
        for (Records part : parts) {
            FetchResponseData.PartitionData partition = new FetchResponseData.PartitionData();
            partitions.add(partition.setRecords(new PinnedRecords(part)));
        }
        return new FetchResponseData()
                .setResponses(List.of(new FetchResponseData.FetchableTopicResponse()
                        .setTopic("t")
                        .setPartitions(partitions)));
    }

    private static byte[] records(ByteBuffer frame, int correlationId) throws IOException {
        org.apache.kafka.common.protocol.ByteBufferAccessor bytes =
                new org.apache.kafka.common.protocol.ByteBufferAccessor(frame);
        assertThat(new org.apache.kafka.common.message.ResponseHeaderData(bytes, (short) 1).correlationId())
                .isEqualTo(correlationId);
        FetchResponseData response = new FetchResponseData(bytes, (short) 12);
        ByteBuffer all = ByteBuffer.allocate(frame.capacity());
        response.responses().forEach(topic -> topic.partitions()
                .forEach(partition -> all.put(
                        ((org.apache.kafka.common.record.internal.MemoryRecords) partition.records()).buffer())));
        byte[] result = new byte[all.flip().remaining()];
        all.get(result);
        return result;
    }
}
