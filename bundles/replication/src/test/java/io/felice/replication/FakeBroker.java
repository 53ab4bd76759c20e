package io.felice.replication;

import io.felice.protocol.Api;
import io.felice.protocol.Apis;
import io.felice.protocol.KafkaMessages;
import io.felice.protocol.Request;
import io.felice.protocol.ResponseFrame;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersion;
import org.apache.kafka.common.protocol.ApiMessage;

/** A broker on a port of its own that answers what a test tells it to. It uses one blocking thread per connection. */
final class FakeBroker implements AutoCloseable {
    final List<ApiMessage> requests = new CopyOnWriteArrayList<>();
    private final List<Socket> connections = new CopyOnWriteArrayList<>();
    private final Map<Short, Function<ApiMessage, ApiMessage>> answers = new ConcurrentHashMap<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final ServerSocket socket;

    FakeBroker() throws IOException {
        this(0);
    }

    FakeBroker(int port) throws IOException {
        socket = new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
        threads.execute(this::accept);
    }

    int port() {
        return socket.getLocalPort();
    }

    int connections() {
        return (int) connections.stream().filter(one -> !one.isClosed()).count();
    }

    /** @param answer null ends the connection */
    <Q extends ApiMessage> FakeBroker answer(short key, Class<Q> type, Function<Q, ApiMessage> answer) {
        answers.put(key, request -> answer.apply(type.cast(request)));
        return this;
    }

    <Q extends ApiMessage> List<Q> requests(Class<Q> type) {
        return requests.stream().filter(type::isInstance).map(type::cast).toList();
    }

    void disconnect() throws IOException {
        for (Socket connection : connections) {
            connection.close();
        }
    }

    private void accept() {
        while (!socket.isClosed()) {
            try {
                Socket client = socket.accept();
                connections.add(client);
                begin(client);
            } catch (IOException closed) {
                return;
            }
        }
    }

    /** A connection that came while this broker was being closed is closed too. */
    private void begin(Socket client) throws IOException {
        try {
            threads.execute(() -> converse(client));
        } catch (RejectedExecutionException closed) {
            client.close();
        }
    }

    private void converse(Socket client) {
        try (client) {
            DataInputStream in = new DataInputStream(client.getInputStream());
            while (true) {
                byte[] frame = new byte[in.readInt()];
                in.readFully(frame);
                Request request = KafkaMessages.parse(ByteBuffer.wrap(frame));
                requests.add(request.message());
                ApiMessage answer = request.message() instanceof ApiVersionsRequestData
                        ? versions()
                        : answers.get(request.apiKey()).apply(request.message());
                if (answer == null) {
                    return;
                }
                try (ResponseFrame response =
                        KafkaMessages.encode(request.apiKey(), request.apiVersion(), request.correlationId(), answer)) {
                    send(response, client.getOutputStream());
                }
            }
        } catch (IOException gone) {
            // The client closed the connection, or the test is over.
        }
    }

    private static ApiVersionsResponseData versions() {
        ApiVersionsResponseData versions = new ApiVersionsResponseData();
        for (Api api : Apis.all()) {
            if (!api.ofBrokers()) {
                versions.apiKeys()
                        .add(new ApiVersion()
                                .setApiKey(api.key())
                                .setMinVersion(api.from())
                                .setMaxVersion(api.to()));
            }
        }
        return versions;
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
        disconnect();
        threads.shutdownNow();
    }
}
