package io.felice.cluster.zookeeper;

import java.util.Arrays;

/** The id and password of a session. With them another connection continues the session. */
record SessionTicket(long sessionId, byte[] password) {
    @Override
    public boolean equals(Object other) {
        return other instanceof SessionTicket that
                && sessionId == that.sessionId
                && Arrays.equals(password, that.password);
    }

    @Override
    public int hashCode() {
        return Long.hashCode(sessionId);
    }

    /** Without the password. */
    @Override
    public String toString() {
        return "session 0x" + Long.toHexString(sessionId);
    }
}
