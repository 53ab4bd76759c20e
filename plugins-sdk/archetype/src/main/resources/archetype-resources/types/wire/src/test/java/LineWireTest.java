package ${package};

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.wire.WireProtocol;
import io.felice.junit.FeliceExtension;
import io.felice.testkit.WireProtocolContract;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The contract, and the wire on a listener of a node in this JVM. */
class LineWireTest extends WireProtocolContract {
    private static final int PORT = freePort();

    @RegisterExtension
    static final FeliceExtension felice = new FeliceExtension()
            .setting("io.felice.network", "listeners", "PLAINTEXT://127.0.0.1:0,ECHO://127.0.0.1:" + PORT)
            .setting("io.felice.network", "listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,ECHO:PLAINTEXT")
            .setting("io.felice.network", "listener.wire.map", "ECHO:${artifactId}");

    @Override
    protected WireProtocol wire() {
        return new LineWire();
    }

    @Override
    protected List<Exchange> conversation() {
        return List.of(new Exchange("one\n".getBytes(UTF_8), true), new Exchange("\n".getBytes(UTF_8), true));
    }

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
}
