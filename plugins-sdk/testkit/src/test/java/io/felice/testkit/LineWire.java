package io.felice.testkit;

import io.felice.api.security.Principal;
import io.felice.api.wire.WireConnection;
import io.felice.api.wire.WireProtocol;
import io.felice.api.wire.WireSession;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Frames are lines of text. A line is answered with the number of lines so far, unless a login is missing. */
final class LineWire implements WireProtocol {
    private static final int LONGEST = 1000;

    @Override
    public int frameLength(ByteBuffer received) {
        for (int at = received.position(); at < received.limit(); at++) {
            if (received.get(at) == '\n') {
                return at + 1 - received.position();
            }
            if (received.get(at) < 0) {
                throw new IllegalArgumentException("a line of bytes that are not ASCII");
            }
        }
        return UNKNOWN;
    }

    @Override
    public int longestFrame() {
        return LONGEST;
    }

    @Override
    public WireSession open(WireConnection connection) {
        return new WireSession() {
            private int lines;

            @Override
            public void received(ByteBuffer frame) {
                String line = StandardCharsets.US_ASCII.decode(frame).toString();
                boolean isServed =
                        !connection.requiresLogin() || !connection.principal().equals(Principal.ANONYMOUS);
                String answer = isServed ? ++lines + " " + line : "log in\n";
                connection.send(ByteBuffer.wrap(answer.getBytes(StandardCharsets.US_ASCII)));
            }

            @Override
            public void closed() {}
        };
    }
}
