package io.felice.itests.rig;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Ports of the loopback interface that nothing listens on. All are below the ephemeral ports, which the system gives to
 * connections: no connection takes a port before its node listens, or while its node is dead.
 */
public final class Ports {
    private static final int FIRST = 10_000;
    private static final int LAST = 30_000;

    private static int next = ThreadLocalRandom.current().nextInt(FIRST, LAST);

    private Ports() {}

    /** A port that this JVM has not got before. */
    public static int free() {
        return freeWith();
    }

    /** A port that is free together with those that are so much higher. */
    public static synchronized int freeWith(int... higher) {
        while (true) {
            next = next < LAST ? next + 1 : FIRST;
            boolean allAreFree = isFree(next);
            for (int distance : higher) {
                allAreFree &= isFree(next + distance);
            }
            if (allAreFree) {
                return next;
            }
        }
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.isBound();
        } catch (BindException taken) {
            return false;
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }
}
