package io.felice.testkit;

import io.felice.api.Turn;
import io.felice.api.security.Principal;
import io.felice.api.wire.WireConnection;
import io.felice.api.wire.WireProtocol;
import io.felice.api.wire.WireSession;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.List;

/** Shows that {@link WireProtocolContract} catches wrong wires. A subclass makes the contract of a good wire. */
public abstract class WireProtocolBugsContract extends PluginBugsContract<WireProtocol, WireProtocolContract> {
    private static final int LEAST_BUGS = 10;

    protected WireProtocolBugsContract() {
        super(WireProtocolContract.class, LEAST_BUGS);
    }

    /** A good wire, of which a mistake changes something. */
    private static class Wrong implements WireProtocol {
        final WireProtocol good;

        Wrong(WireProtocol good) {
            this.good = good;
        }

        @Override
        public int frameLength(ByteBuffer received) {
            return good.frameLength(received);
        }

        @Override
        public int longestFrame() {
            return good.longestFrame();
        }

        @Override
        public WireSession open(WireConnection connection) {
            return good.open(connection);
        }
    }

    @Override
    List<PluginBug<WireProtocol>> bugs() {
        return List.of(
                length("forgets a byte of the header", (good, received) -> Math.max(0, good.frameLength(received) - 1)),
                length("takes all received bytes for one frame", (good, received) -> received.remaining()),
                length(
                        "says the length before it is known",
                        (good, received) -> Math.max(received.remaining(), good.frameLength(received))),
                new PluginBug<>(
                        "reads from the beginning of the buffer",
                        "aFrameBeginsAtThePositionOfTheBuffer",
                        good -> lengthOf(
                                good,
                                (same, received) ->
                                        same.frameLength(received.duplicate().position(0)))),
                new PluginBug<>(
                        "throws where bytes are missing",
                        "bytesThatAreNoFrameAreRefusedWithASentence",
                        good -> lengthOf(good, (same, received) -> {
                            int length = same.frameLength(received);
                            if (length == WireProtocol.UNKNOWN || length > received.remaining()) {
                                throw new java.nio.BufferUnderflowException();
                            }
                            return length;
                        })),
                new PluginBug<>("allows only short frames", "noFrameIsLongerThanTheLongest", good -> new Wrong(good) {
                    @Override
                    public int longestFrame() {
                        return 1;
                    }
                }),
                new PluginBug<>(
                        "handles a frame later without a copy", "theBytesOfAFrameAreNotUsedAfterTheCall", Later::new),
                new PluginBug<>(
                        "has one session for all", "connectionsAreServedAtTheSameTimeAndEachByItself", OneForAll::new),
                new PluginBug<>("throws when a client goes", "aClientMayGoAtAnyTime", good -> new Wrong(good) {
                    @Override
                    public WireSession open(WireConnection connection) {
                        WireSession session = good.open(connection);
                        return new Session(session) {
                            @Override
                            public void closed() {
                                throw new IllegalStateException("closed");
                            }
                        };
                    }
                }),
                new PluginBug<>(
                        "runs out of stack in a frame",
                        "aSessionGetsStrangeFramesAndClosesItsConnectionOrGoesOn",
                        good -> new Wrong(good) {
                            @Override
                            public WireSession open(WireConnection connection) {
                                return new Session(good.open(connection)) {
                                    @Override
                                    public void received(ByteBuffer frame) {
                                        throw new StackOverflowError();
                                    }
                                };
                            }
                        }),
                new PluginBug<>(
                        "serves who has not logged in",
                        "whereALoginIsAskedForAClientWithoutOneIsNotServed",
                        good -> new Wrong(good) {
                            @Override
                            public WireSession open(WireConnection connection) {
                                return good.open(new Unlocked(connection));
                            }
                        }));
    }

    private interface Length {
        int of(WireProtocol good, ByteBuffer received);
    }

    private static PluginBug<WireProtocol> length(String name, Length length) {
        return new PluginBug<>(
                name,
                "theLengthOfAFrameIsFoundFromItsFirstBytesAndNotFromThoseBehindIt",
                good -> lengthOf(good, length));
    }

    private static WireProtocol lengthOf(WireProtocol good, Length length) {
        return new Wrong(good) {
            @Override
            public int frameLength(ByteBuffer received) {
                return length.of(good, received);
            }
        };
    }

    /** Passes everything on. */
    private static class Session implements WireSession {
        private final WireSession good;

        private Session(WireSession good) {
            this.good = good;
        }

        @Override
        public void received(ByteBuffer frame) {
            good.received(frame);
        }

        @Override
        public void drained() {
            good.drained();
        }

        @Override
        public void closed() {
            good.closed();
        }
    }

    private static final class Later extends Wrong {
        private Later(WireProtocol good) {
            super(good);
        }

        @Override
        public WireSession open(WireConnection connection) {
            WireSession session = good.open(connection);
            return new Session(session) {
                @Override
                public void received(ByteBuffer frame) {
                    connection.execute(() -> session.received(frame));
                }
            };
        }
    }

    private static final class OneForAll extends Wrong {
        private WireSession first;

        private OneForAll(WireProtocol good) {
            super(good);
        }

        @Override
        public WireSession open(WireConnection connection) {
            first = first == null ? good.open(connection) : first;
            return first;
        }
    }

    /** A connection whose listener seems to ask for no login. */
    private record Unlocked(WireConnection connection) implements WireConnection {
        @Override
        public boolean requiresLogin() {
            return false;
        }

        @Override
        public InetSocketAddress remote() {
            return connection.remote();
        }

        @Override
        public String listener() {
            return connection.listener();
        }

        @Override
        public boolean isEncrypted() {
            return connection.isEncrypted();
        }

        @Override
        public Principal principal() {
            return connection.principal();
        }

        @Override
        public void authenticated(Principal principal) {
            connection.authenticated(principal);
        }

        @Override
        public void send(ByteBuffer bytes) {
            connection.send(bytes);
        }

        @Override
        public boolean isFull() {
            return connection.isFull();
        }

        @Override
        public void pauseReading() {
            connection.pauseReading();
        }

        @Override
        public void resumeReading() {
            connection.resumeReading();
        }

        @Override
        public void close() {
            connection.close();
        }

        @Override
        public void execute(Runnable task) {
            connection.execute(task);
        }

        @Override
        public Turn turn() {
            return connection.turn();
        }
    }
}
