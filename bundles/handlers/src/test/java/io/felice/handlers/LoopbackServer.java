package io.felice.handlers;

import io.felice.protocol.Apis;
import io.felice.protocol.Request;
import io.felice.protocol.RequestContext;
import io.felice.protocol.ResponseFrame;
import io.felice.protocol.ServedApis;
import io.felice.protocol.KafkaMessages;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.protocol.ApiMessage;

/** Serves real Kafka clients with the given handlers. Uses one blocking thread per connection. */
final class LoopbackServer implements AutoCloseable {
    private final ServerSocket socket;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private volatile List<Served> handlers = List.of();

    LoopbackServer() throws IOException {
        socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    }

    int port() {
        return socket.getLocalPort();
    }

    String address() {
        return socket.getInetAddress().getHostAddress() + ":" + port();
    }

    ServedApis apis() {
        return () -> handlers.stream()
                .map(api -> new ServedApis.Range(api.key(), api.from(), api.to()))
                .toList();
    }

    void serve(List<Served> apis) {
        handlers = apis;
        threads.execute(this::accept);
    }

    private void accept() {
        while (!socket.isClosed()) {
            try {
                Socket client = socket.accept();
                threads.execute(() -> converse(client));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void converse(Socket client) {
        try (client) {
            DataInputStream in = new DataInputStream(client.getInputStream());
            while (true) {
                byte[] frame = new byte[in.readInt()];
                in.readFully(frame);
                try (ResponseFrame answer = answer(ByteBuffer.wrap(frame))) {
                    send(answer, client.getOutputStream());
                }
            }
        } catch (Exception gone) {
            // The client closed the connection, or the test is over.
        }
    }

    private ResponseFrame answer(ByteBuffer frame) throws Exception {
        short key = KafkaMessages.apiKeyOf(frame);
        short version = KafkaMessages.apiVersionOf(frame);
        Served api =
                handlers.stream().filter(one -> one.key() == key).findFirst().orElseThrow();
        if (key == Apis.API_VERSIONS && version > api.to()) {
            ApiVersionsResponseData ranges = new ApiVersionsResponseData().setErrorCode((short) 35);
            ranges.apiKeys()
                    .add(new ApiVersionsResponseData.ApiVersion()
                            .setApiKey(key)
                            .setMinVersion(api.from())
                            .setMaxVersion(api.to()));
            return KafkaMessages.encode(key, (short) 0, KafkaMessages.correlationIdOf(frame), ranges);
        }
        Request request = KafkaMessages.parse(frame);
        RequestContext asked = Asking.context(request.message(), version);
        ApiMessage response = api.handler()
                .handle(request.message(), asked)
                .toCompletableFuture()
                .get();
        return KafkaMessages.encode(key, version, request.correlationId(), response);
    }

    private static void send(ResponseFrame frame, OutputStream out) throws IOException {
        for (Object part : frame.parts()) {
            ByteBuffer bytes = ((ByteBuffer) part).duplicate();
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(copy);
            out.write(copy);
        }
        out.flush();
    }

    @Override
    public void close() throws IOException {
        socket.close();
        threads.shutdownNow();
    }
}
