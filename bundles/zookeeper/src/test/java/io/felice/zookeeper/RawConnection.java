package io.felice.zookeeper;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import org.apache.jute.BinaryInputArchive;
import org.apache.jute.BinaryOutputArchive;
import org.apache.jute.Record;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.proto.ConnectRequest;
import org.apache.zookeeper.proto.ReplyHeader;
import org.apache.zookeeper.proto.RequestHeader;

/**
 * A connection that can send packets which the library's client never sends. It has a session but is not authenticated.
 */
final class RawConnection implements Closeable {
    private final Socket socket;
    private final DataOutputStream out;
    private final DataInputStream in;
    private int xid;

    RawConnection(int port) throws IOException {
        socket = new Socket("127.0.0.1", port);
        socket.setSoTimeout(30_000);
        out = new DataOutputStream(socket.getOutputStream());
        in = new DataInputStream(socket.getInputStream());
        send(bytes(new ConnectRequest(0, 0, 30_000, 0, new byte[16], false)), new byte[0]);
        receive();
    }

    /** Sends one operation and returns the server's answer. */
    Code ask(int opcode, byte[] request) throws IOException {
        send(bytes(new RequestHeader(++xid, opcode)), request);
        ReplyHeader header = new ReplyHeader();
        header.deserialize(new BinaryInputArchive(new DataInputStream(new ByteArrayInputStream(receive()))), "");
        return Code.get(header.getErr());
    }

    /** Waits until the server has ended the connection. */
    boolean isEnded() throws IOException {
        return in.read() < 0;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    static byte[] bytes(Record record) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        record.serialize(BinaryOutputArchive.getArchive(bytes), "");
        return bytes.toByteArray();
    }

    private void send(byte[] header, byte[] body) throws IOException {
        out.writeInt(header.length + body.length);
        out.write(header);
        out.write(body);
        out.flush();
    }

    private byte[] receive() throws IOException {
        byte[] answer = new byte[in.readInt()];
        in.readFully(answer);
        return answer;
    }
}
