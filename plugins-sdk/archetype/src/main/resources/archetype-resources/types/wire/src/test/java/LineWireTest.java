package ${package};

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.wire.WireProtocol;
import io.felice.junit.FeliceExtension;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The wire on a listener of a node in this JVM. */
class LineWireTest {
    private static final int PORT = freePort();

    @RegisterExtension
    static final FeliceExtension felice = new FeliceExtension()
            .setting("io.felice.network", "listeners", "PLAINTEXT://127.0.0.1:0,ECHO://127.0.0.1:" + PORT)
            .setting("io.felice.network", "listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,ECHO:PLAINTEXT")
            .setting("io.felice.network", "listener.wire.map", "ECHO:${artifactId}");

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        } catch (IOException failure) {
            throw new IllegalStateException(failure);
        }
    }

    @Test
    void linesComeBackInOrder() throws Exception {
        try (Socket client = new Socket("127.0.0.1", PORT)) {
            byte[] lines = "one\ntwo\n\nthree\n".getBytes(UTF_8);
            client.getOutputStream().write(lines);

            assertThat(client.getInputStream().readNBytes(lines.length)).isEqualTo(lines);
        }
    }

    @Test
    void aFrameEndsWithItsLine() {
        LineWire wire = new LineWire();

        assertThat(wire.frameLength(ByteBuffer.wrap("one\ntwo".getBytes(UTF_8)))).isEqualTo(4);
        assertThat(wire.frameLength(ByteBuffer.wrap("tw".getBytes(UTF_8)))).isEqualTo(WireProtocol.UNKNOWN);
    }
}
