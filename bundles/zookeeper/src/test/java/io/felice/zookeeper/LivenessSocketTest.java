package io.felice.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.zookeeper.Liveness.Address;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The other process is a real one. */
class LivenessSocketTest {
    private static final long PATIENCE_SECONDS = 60;

    private final LivenessSocket socket = new LivenessSocket("", 0);
    private final CountDownLatch proof = new CountDownLatch(1);
    private Process other;
    private BufferedReader says;

    @BeforeEach
    void startTheOther() throws IOException {
        other = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx32m",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Other.class.getName())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        says = other.inputReader(StandardCharsets.UTF_8);
    }

    @AfterEach
    void stop() throws Exception {
        other.destroyForcibly().waitFor();
        socket.close();
    }

    @Test
    void aKilledProcessIsProved() throws Exception {
        Address address = address();
        socket.watch(address, proof::countDown);
        awaitConnection();

        signal("KILL");

        assertThat(proof.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void aHangIsNoProofAndAKillAfterItIs() throws Exception {
        socket.watch(address(), proof::countDown);
        awaitConnection();

        signal("STOP");
        boolean provedWhileItHangs = proof.await(1_500, TimeUnit.MILLISECONDS);
        signal("KILL");

        assertThat(provedWhileItHangs).isFalse();
        assertThat(proof.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void aProcessThatSaysFarewellIsNotProved() throws Exception {
        socket.watch(address(), proof::countDown);
        awaitConnection();

        other.outputWriter().append("close\n").flush();
        assertThat(says.readLine()).isEqualTo("closed");
        other.waitFor();

        assertThat(proof.await(1_500, TimeUnit.MILLISECONDS)).isFalse();
    }

    @Test
    void cutConnectionsToAProcessThatListensAreNoProof() throws Exception {
        Address address = address();
        try (ServerSocket between = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            socket.watch(new Address("127.0.0.1", between.getLocalPort(), address.process()), proof::countDown);
            for (int cut = 0; cut < 5; cut++) {
                try (Socket cutOff = between.accept()) {
                    cutOff.getOutputStream()
                            .write(LivenessSocket.greeting(address.process()).array());
                }
            }
            assertThat(proof.getCount()).isOne();
        }
        assertThat(proof.await(PATIENCE_SECONDS, TimeUnit.SECONDS))
                .as("now nothing listens there")
                .isTrue();
    }

    @Test
    void anAddressWhereTheProcessWasNeverFoundProvesNothing() throws Exception {
        Address address = address();
        Address ofAnother = new Address(address.host(), address.port(), UUID.randomUUID());

        socket.watch(ofAnother, proof::countDown);
        awaitConnection();
        signal("KILL");

        assertThat(proof.await(2_500, TimeUnit.MILLISECONDS)).isFalse();
    }

    @Test
    void whatStrangersSayIsNotKept() throws Exception {
        Address own = socket.open("127.0.0.1");

        try (Socket stranger = new Socket("127.0.0.1", own.port())) {
            stranger.setSoTimeout(30_000);
            assertThat(stranger.getInputStream().readNBytes(20))
                    .isEqualTo(LivenessSocket.greeting(own.process()).array());
            stranger.getOutputStream().write('x');

            assertThat(stranger.getInputStream().read()).isEqualTo(-1);
        }
    }

    private Address address() throws IOException {
        String[] words = says.readLine().split(" ");
        return new Address("127.0.0.1", Integer.parseInt(words[0]), UUID.fromString(words[1]));
    }

    /** The other process prints a line when a watcher is connected to it. */
    private void awaitConnection() throws IOException {
        assertThat(says.readLine()).isEqualTo("watched");
    }

    private void signal(String name) throws Exception {
        new ProcessBuilder("kill", "-" + name, Long.toString(other.pid()))
                .inheritIO()
                .start()
                .waitFor();
    }

    /** A process with a socket. It ends with its input. */
    static final class Other {
        private Other() {}

        public static void main(String[] arguments) throws Exception {
            LivenessSocket own = new LivenessSocket("", 0);
            Address address = own.open("127.0.0.1");
            System.out.println(address.port() + " " + address.process());
            while (own.watcherCount() == 0) {
                Thread.sleep(5);
            }
            System.out.println("watched");
            if (System.in.read() >= 0) {
                own.close();
                System.out.println("closed");
            }
        }
    }
}
