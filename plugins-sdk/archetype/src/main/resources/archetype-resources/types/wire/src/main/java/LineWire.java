package ${package};

import io.felice.api.wire.WireConnection;
import io.felice.api.wire.WireProtocol;
import io.felice.api.wire.WireSession;
import java.nio.ByteBuffer;
import org.osgi.service.component.annotations.Component;

/** Answers each line with the same line. A frame is a line: the place for a protocol of your own. */
@Component(property = WireProtocol.NAME + "=${artifactId}")
public final class LineWire implements WireProtocol {
    private static final int LONGEST_LINE = 8_192;

    @Override
    public int frameLength(ByteBuffer received) {
        for (int at = received.position(); at < received.limit(); at++) {
            if (received.get(at) == '\n') {
                return at - received.position() + 1;
            }
        }
        return UNKNOWN;
    }

    @Override
    public int longestFrame() {
        return LONGEST_LINE;
    }

    @Override
    public WireSession open(WireConnection connection) {
        return new Echo(connection);
    }

    /** A protocol without a login serves only listeners that require none. */
    private record Echo(WireConnection connection) implements WireSession {
        @Override
        public void received(ByteBuffer frame) {
            if (connection.requiresLogin()) {
                connection.close();
            } else {
                connection.send(ByteBuffer.allocate(frame.remaining()).put(frame).flip());
            }
        }

        @Override
        public void closed() {}
    }
}
