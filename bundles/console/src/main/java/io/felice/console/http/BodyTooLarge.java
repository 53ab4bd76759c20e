package io.felice.console.http;

import java.io.IOException;

/** A body has more bytes than it may have, whatever its headers have said. */
public final class BodyTooLarge extends IOException {
    private static final long serialVersionUID = 1L;

    public BodyTooLarge() {
        super("The body is longer than it may be.");
    }
}
