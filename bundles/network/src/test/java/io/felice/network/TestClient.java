package io.felice.network;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageSizeAccumulator;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/** A client that sends and receives frames on a plain socket. */
final class TestClient implements AutoCloseable {
    private static final int PATIENCE_MS = 20_000;

    final Socket socket;
    private final OutputStream out;
    private final DataInputStream in;

    TestClient(int port) throws IOException {
        this(port, 0);
    }

    TestClient(int port, int receiveBuffer) throws IOException {
        this(new Socket(), port, receiveBuffer);
    }

    /** A client with a socket that is not connected yet; it may encrypt. */
    TestClient(Socket socket, int port, int receiveBuffer) throws IOException {
        this.socket = socket;
        if (receiveBuffer > 0) {
            socket.setReceiveBufferSize(receiveBuffer);
        }
        socket.connect(new InetSocketAddress("127.0.0.1", port), PATIENCE_MS);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(PATIENCE_MS);
        out = socket.getOutputStream();
        in = new DataInputStream(new java.io.BufferedInputStream(socket.getInputStream(), 64 * 1024));
    }

    void send(short key, int version, int correlationId, ApiMessage request) throws IOException {
        sendRaw(frame(key, version, correlationId, request));
    }

    void sendRaw(byte[] bytes) throws IOException {
        out.write(bytes);
        out.flush();
    }

    /** The next answer, without its length field. */
    ByteBuffer receive() throws IOException {
        byte[] frame = new byte[in.readInt()];
        in.readFully(frame);
        return ByteBuffer.wrap(frame);
    }

    <R extends ApiMessage> R receive(short key, int version, int correlationId, R into) throws IOException {
        ByteBuffer frame = receive();
        ByteBufferAccessor bytes = new ByteBufferAccessor(frame);
        short headerVersion = ApiMessageType.fromApiKey(key).responseHeaderVersion((short) version);
        ResponseHeaderData header = new ResponseHeaderData(bytes, headerVersion);
        if (header.correlationId() != correlationId) {
            throw new AssertionError("answer " + header.correlationId() + " instead of " + correlationId);
        }
        into.read(bytes, (short) version);
        if (bytes.remaining() > 0) {
            throw new AssertionError(bytes.remaining() + " bytes left over");
        }
        return into;
    }

    int receiveCorrelationId() throws IOException {
        return receive().getInt();
    }

    <R extends ApiMessage> R ask(short key, int version, int correlationId, ApiMessage request, R into)
            throws IOException {
        send(key, version, correlationId, request);
        return receive(key, version, correlationId, into);
    }

    /** True if the server ends the stream in time. */
    boolean endsWithin(int millis) throws IOException {
        socket.setSoTimeout(millis);
        return in.read() < 0;
    }

    /** True if the server closes or resets the connection; false if nothing arrives in time. */
    boolean isClosed(int withinMs) throws IOException {
        socket.setSoTimeout(withinMs);
        try {
            return in.read() < 0;
        } catch (java.net.SocketTimeoutException silent) {
            return false;
        } catch (IOException reset) {
            return true;
        } finally {
            socket.setSoTimeout(PATIENCE_MS);
        }
    }

    /** A request with its length field. */
    static byte[] frame(short key, int version, int correlationId, ApiMessage request) {
        short headerVersion = ApiMessageType.fromApiKey(key).requestHeaderVersion((short) version);
        RequestHeaderData header = new RequestHeaderData()
                .setRequestApiKey(key)
                .setRequestApiVersion((short) version)
                .setCorrelationId(correlationId)
                .setClientId("test");
        ObjectSerializationCache cache = new ObjectSerializationCache();
        MessageSizeAccumulator size = new MessageSizeAccumulator();
        header.addSize(size, cache, headerVersion);
        request.addSize(size, cache, (short) version);
        ByteBuffer frame = ByteBuffer.allocate(Integer.BYTES + size.totalSize());
        frame.putInt(size.totalSize());
        ByteBufferAccessor bytes = new ByteBufferAccessor(frame);
        header.write(bytes, cache, headerVersion);
        request.write(bytes, cache, (short) version);
        return frame.array();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
