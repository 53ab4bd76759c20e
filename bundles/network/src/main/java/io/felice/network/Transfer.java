package io.felice.network;

import java.net.InetAddress;

/** How a range of a file gets to a client. */
enum Transfer {
    /** By the kernel to other machines; through memory to this one, where that is cheaper. */
    AUTO,
    BUFFER,
    SENDFILE;

    boolean byKernel(InetAddress remote) {
        return switch (this) {
            case AUTO -> !remote.isLoopbackAddress();
            case BUFFER -> false;
            case SENDFILE -> true;
        };
    }
}
