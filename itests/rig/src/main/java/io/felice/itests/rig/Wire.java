package io.felice.itests.rig;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersionCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.ApiVersionsResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.requests.RequestUtils;

/** One connection to a broker. Tests send and receive Kafka's message classes or raw bytes. */
public final class Wire implements AutoCloseable {
    private static final int PATIENCE_MS = 60_000;

    private final Socket socket;
    private final OutputStream out;
    private final DataInputStream in;
    private int correlation;

    public Wire(String bootstrap) throws IOException {
        int colon = bootstrap.lastIndexOf(':');
        socket = new Socket();
        socket.setTcpNoDelay(true);
        socket.connect(
                new InetSocketAddress(bootstrap.substring(0, colon), Integer.parseInt(bootstrap.substring(colon + 1))),
                PATIENCE_MS);
        socket.setSoTimeout(PATIENCE_MS);
        out = socket.getOutputStream();
        in = new DataInputStream(socket.getInputStream());
    }

    /** Sends a request and returns the response, which must have the same version and no surplus bytes. */
    public AbstractResponse ask(ApiKeys key, int version, ApiMessage request) throws IOException {
        RequestHeader header = send(key, version, request);
        ByteBuffer frame = ByteBuffer.wrap(receive());
        AbstractResponse response = AbstractResponse.parseResponse(frame, header);
        if (frame.hasRemaining()) {
            throw new AssertionError(key + " " + version + ": " + frame.remaining() + " bytes too many");
        }
        return response;
    }

    public RequestHeader send(ApiKeys key, int version, ApiMessage request) throws IOException {
        RequestHeader header = new RequestHeader(key, (short) version, "wire", ++correlation);
        send(bytes(header, request));
        return header;
    }

    /** The bytes of a request, without the length that precedes it on the wire. */
    public static byte[] bytes(RequestHeader header, ApiMessage request) {
        ByteBuffer buffer = RequestUtils.serialize(header.data(), header.headerVersion(), request, header.apiVersion());
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    public void send(byte[] frame) throws IOException {
        ByteBuffer whole =
                ByteBuffer.allocate(4 + frame.length).putInt(frame.length).put(frame);
        sendRaw(whole.array());
    }

    public void sendRaw(byte[] bytes) throws IOException {
        out.write(bytes);
        out.flush();
    }

    /**
     * Receives the next frame.
     *
     * @throws java.io.EOFException if the broker closed the connection
     */
    public byte[] receive() throws IOException {
        byte[] frame = new byte[in.readInt()];
        in.readFully(frame);
        return frame;
    }

    public Socket socket() {
        return socket;
    }

    public ApiVersionCollection advertised() throws IOException {
        ApiVersionsRequestData request =
                new ApiVersionsRequestData().setClientSoftwareName("wire").setClientSoftwareVersion("1");
        return ((ApiVersionsResponse) ask(ApiKeys.API_VERSIONS, 3, request))
                .data()
                .apiKeys();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
