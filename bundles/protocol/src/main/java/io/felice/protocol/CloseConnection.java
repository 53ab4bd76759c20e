package io.felice.protocol;

/** Thrown by, or failing the stage of, a handler that has no other answer than to close the connection. */
public final class CloseConnection extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** @param reason a sentence for the log */
    public CloseConnection(String reason) {
        super(reason, null, false, false);
    }
}
