package io.felice.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.storage.Records;
import io.felice.protocol.Apis;
import io.felice.protocol.KafkaMessages;
import io.felice.protocol.PinnedRecords;
import io.felice.protocol.Request;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The way by which file ranges are sent. */
@Timeout(60)
class OutboxTest {
    private static final int RANGE_BYTES = 1024 * 1024;
    private static final int ANSWERS = 32;
    private static final short VERSION = 12;

    @TempDir
    Path directory;

    @Test
    void bothWaysAreTriedToAPeerOnThisMachine() throws Exception {
        assertThat(waysOf(Transfer.AUTO)).containsExactlyInAnyOrder(Transfer.SENDFILE, Transfer.BUFFER);
    }

    @Test
    void aConfiguredWayIsNotMeasured() throws Exception {
        assertThat(waysOf(Transfer.BUFFER)).containsExactly(Transfer.SENDFILE);
    }

    @Test
    void sendfileIsUsedToAnotherMachine() throws Exception {
        assertThat(Transfer.AUTO.to(InetAddress.getByAddress(new byte[] {10, 0, 0, 1})))
                .isEqualTo(Transfer.SENDFILE);
        assertThat(Transfer.AUTO.to(InetAddress.getLoopbackAddress())).isEqualTo(Transfer.AUTO);
        assertThat(Transfer.BUFFER.to(InetAddress.getByAddress(new byte[] {10, 0, 0, 1})))
                .isEqualTo(Transfer.BUFFER);
    }

    /** The ways that the measurement chose while file ranges were sent. */
    private Set<Transfer> waysOf(Transfer transfer) throws Exception {
        Path file = Files.write(directory.resolve("log"), new byte[RANGE_BYTES]);
        Outbox.Staging staging = new Outbox.Staging();
        Set<Transfer> ways = EnumSet.noneOf(Transfer.class);
        try (ServerSocketChannel server =
                        ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                SocketChannel channel = SocketChannel.open(server.getLocalAddress());
                SocketChannel client = server.accept();
                FileChannel log = FileChannel.open(file)) {
            channel.configureBlocking(false);
            Outbox outbox = new Outbox(transfer, response -> response.frame().close());
            long expected = 0;
            for (int i = 0; i < ANSWERS; i++) {
                PendingResponse answer = answer(log, i);
                expected += answer.frame().sizeInBytes();
                outbox.add(answer);
            }
            ByteBuffer received = ByteBuffer.allocateDirect(RANGE_BYTES);
            long left = expected;
            while (left > 0) {
                outbox.write(new PlainTransport(channel), staging);
                ways.add(staging.cheaper.isByKernel() ? Transfer.SENDFILE : Transfer.BUFFER);
                left -= client.read(received.clear());
            }
            assertThat(outbox.isEmpty()).isTrue();
        }
        return ways;
    }

    private static PendingResponse answer(FileChannel log, int correlationId) throws IOException {
        Records range = new Records.InFile(log, 0, RANGE_BYTES, 1, () -> {});
        FetchResponseData response = new FetchResponseData()
                .setResponses(List.of(new FetchResponseData.FetchableTopicResponse()
                        .setTopic("t")
                        .setPartitions(
                                List.of(new FetchResponseData.PartitionData().setRecords(new PinnedRecords(range))))));
        Request request = new Request(Apis.FETCH, VERSION, correlationId, "test", new FetchRequestData(), 0);
        PendingResponse pending =
                new PendingResponse(null, 0, Apis.find(Apis.FETCH).orElseThrow(), request, false, 0);
        pending.answer(KafkaMessages.encode(Apis.FETCH, VERSION, correlationId, response));
        return pending;
    }
}
