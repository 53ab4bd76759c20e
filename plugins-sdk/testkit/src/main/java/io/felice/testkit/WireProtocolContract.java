package io.felice.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.fail;

import io.felice.api.security.Principal;
import io.felice.api.wire.WireProtocol;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * The tests that every wire must pass. Each test checks a promise of {@link WireProtocol}. A subclass makes a wire, and
 * says what a client that does not log in sends.
 */
public abstract class WireProtocolContract {
    private static final int RANDOM_STREAMS = 300;
    private static final int MOST_RANDOM_BYTES = 400;
    private static final int FEW_RANDOM_BYTES = 4;
    private static final Duration PATIENCE = Duration.ofSeconds(3);

    /**
     * A frame of a client.
     *
     * @param isAnswered true if the wire answers it, at once or later
     */
    public record Exchange(byte[] frame, boolean isAnswered) {}

    /** A fresh wire. */
    protected abstract WireProtocol wire();

    /** Valid frames of one client from the beginning on, some of which are answered. */
    protected abstract List<Exchange> conversation();

    /** The answers without what differs from time to time. */
    protected byte[] comparable(byte[] answers) {
        return answers;
    }

    private byte[] answers(FakeWireConnection connection, boolean inPieces) {
        List<byte[]> all = new ArrayList<>();
        for (Exchange exchange : conversation()) {
            if (connection.isClosed()) {
                break;
            }
            all.add(answer(connection, exchange, inPieces));
        }
        return comparable(together(all));
    }

    private static byte[] answer(FakeWireConnection connection, Exchange exchange, boolean inPieces) {
        if (inPieces) {
            for (byte single : exchange.frame()) {
                connection.receive(new byte[] {single});
            }
        } else {
            connection.receive(exchange.frame());
        }
        List<byte[]> sent = new ArrayList<>();
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        do {
            connection.runTasks();
            sent.add(connection.takeSent());
            if (System.nanoTime() > deadline) {
                fail("a frame is not answered within %s: %s", PATIENCE, Arrays.toString(exchange.frame()));
            }
        } while (exchange.isAnswered() && together(sent).length == 0 && !connection.isClosed() && waited());
        return together(sent);
    }

    private static boolean waited() {
        try {
            Thread.sleep(1);
            return true;
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    private static byte[] together(List<byte[]> parts) {
        ByteBuffer all =
                ByteBuffer.allocate(parts.stream().mapToInt(part -> part.length).sum());
        parts.forEach(all::put);
        return all.array();
    }

    private static int length(WireProtocol wire, byte[] bytes) {
        return wire.frameLength(ByteBuffer.wrap(bytes).asReadOnlyBuffer());
    }

    @Test
    void theLengthOfAFrameIsFoundFromItsFirstBytesAndNotFromThoseBehindIt() {
        WireProtocol wire = wire();
        for (Exchange exchange : conversation()) {
            byte[] frame = exchange.frame();
            for (int received = 1; received < frame.length; received++) {
                assertThat(length(wire, Arrays.copyOf(frame, received)))
                        .as("the length after %s of %s bytes", received, frame.length)
                        .isIn(WireProtocol.UNKNOWN, frame.length);
            }
            assertThat(length(wire, frame)).isEqualTo(frame.length);
            assertThat(length(wire, together(List.of(frame, frame)))).isEqualTo(frame.length);
        }
    }

    @Test
    void aFrameBeginsAtThePositionOfTheBuffer() {
        WireProtocol wire = wire();
        byte[] first = conversation().get(0).frame();
        for (Exchange exchange : conversation()) {
            ByteBuffer bytes = ByteBuffer.wrap(together(List.of(first, new byte[3], exchange.frame())));

            assertThat(wire.frameLength(bytes.position(first.length + 3).asReadOnlyBuffer()))
                    .isEqualTo(exchange.frame().length);
        }
    }

    @Test
    void noFrameIsLongerThanTheLongest() {
        WireProtocol wire = wire();
        for (Exchange exchange : conversation()) {
            assertThat(exchange.frame().length).isBetween(1, wire.longestFrame());
        }
    }

    @Test
    void bytesThatAreNoFrameAreRefusedWithASentence() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        WireProtocol wire = wire();
        for (int stream = 0; stream < RANDOM_STREAMS; stream++) {
            int most = stream % 2 == 0 ? FEW_RANDOM_BYTES : MOST_RANDOM_BYTES;
            byte[] bytes = new byte[1 + random.nextInt(most)];
            random.nextBytes(bytes);
            try {
                assertThat(length(wire, bytes)).isNotNegative();
            } catch (IllegalArgumentException refusal) {
                assertThat(refusal.getMessage()).isNotBlank();
            } catch (RuntimeException other) {
                fail("seed " + seed + ": " + Arrays.toString(bytes), other);
            }
        }
    }

    @Test
    void aSessionGetsStrangeFramesAndClosesItsConnectionOrGoesOn() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        WireProtocol wire = wire();
        for (int stream = 0; stream < RANDOM_STREAMS; stream++) {
            FakeWireConnection connection = new FakeWireConnection(wire, false).open();
            byte[] bytes = damaged(random);
            try {
                connection.receive(bytes);
                connection.runTasks();
            } catch (RuntimeException closes) {
                // The network closes the connection.
            } catch (Error error) {
                fail("seed " + seed + ": " + Arrays.toString(bytes), error);
            }
            connection.breakOff();
        }
    }

    private byte[] damaged(Random random) {
        byte[] bytes = together(conversation().stream().map(Exchange::frame).toList());
        for (int damages = random.nextInt(4); damages >= 0; damages--) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
        }
        return bytes;
    }

    @Test
    void framesThatComeInPiecesAreAnsweredAsWholeOnes() {
        byte[] whole = answers(new FakeWireConnection(wire(), false).open(), false);
        byte[] inPieces = answers(new FakeWireConnection(wire(), false).open(), true);

        assertThat(whole).isNotEmpty();
        assertThat(inPieces).isEqualTo(whole);
    }

    @Test
    void theBytesOfAFrameAreNotUsedAfterTheCall() {
        FakeWireConnection keeping = new FakeWireConnection(wire(), false).open();
        keeping.keepFrames();
        byte[] kept = answers(keeping, false);

        byte[] usedAgain = answers(new FakeWireConnection(wire(), false).open(), false);

        assertThat(usedAgain).isEqualTo(kept);
    }

    @Test
    void connectionsAreServedAtTheSameTimeAndEachByItself() {
        WireProtocol wire = wire();
        FakeWireConnection one = new FakeWireConnection(wire, false).open();
        FakeWireConnection two = new FakeWireConnection(wire, false).open();

        byte[] ofTwo = answers(two, false);
        byte[] ofOne = answers(one, false);

        assertThat(ofOne).isEqualTo(ofTwo);
        assertThat(ofOne).isEqualTo(answers(new FakeWireConnection(wire(), false).open(), false));
    }

    @Test
    void aClientMayGoAtAnyTime() {
        WireProtocol wire = wire();
        int frames = conversation().size();
        for (int stays = 0; stays <= frames; stays++) {
            FakeWireConnection connection = new FakeWireConnection(wire, false).open();
            for (Exchange exchange : conversation().subList(0, stays)) {
                if (!connection.isClosed()) {
                    connection.receive(exchange.frame());
                }
            }

            assertThatCode(connection::breakOff).doesNotThrowAnyException();
            connection.runTasks();
        }
    }

    @Test
    void whereALoginIsAskedForAClientWithoutOneIsNotServed() {
        byte[] served = answers(new FakeWireConnection(wire(), false).open(), false);
        FakeWireConnection locked = new FakeWireConnection(wire(), true).open();

        byte[] answers = answers(locked, false);

        assertThat(answers).isNotEqualTo(served);
        assertThat(locked.principal()).isEqualTo(Principal.ANONYMOUS);
    }
}
