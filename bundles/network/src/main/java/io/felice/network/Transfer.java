package io.felice.network;

import java.net.InetAddress;

/** How ranges of files are sent to clients. */
enum Transfer {
    /** By sendfile to other machines; to clients on this machine by the cheaper way, see {@link CheaperTransfer}. */
    AUTO,
    BUFFER,
    SENDFILE;

    /** The way to this peer. AUTO remains AUTO only if the peer is on this machine. */
    Transfer to(InetAddress remote) {
        return this == AUTO && !remote.isLoopbackAddress() ? SENDFILE : this;
    }
}
