package io.felice.network;

import java.net.InetAddress;

/** How ranges of files get to clients. */
enum Transfer {
    /** By the kernel to other machines; to this one whichever way is cheaper, see {@link CheaperTransfer}. */
    AUTO,
    BUFFER,
    SENDFILE;

    /** How they get to that peer; AUTO is left for peers on this machine only. */
    Transfer to(InetAddress remote) {
        return this == AUTO && !remote.isLoopbackAddress() ? SENDFILE : this;
    }
}
