package io.felice.protocol;

/** Closes the connection without a response. A handler throws this exception or fails its stage with it. */
public final class CloseConnection extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** @param reason a sentence for the log */
    public CloseConnection(String reason) {
        super(reason, null, false, false);
    }
}
