package io.felice.protocol;

/** A frame that cannot be parsed as a request. The connection is closed without a response. */
public final class MalformedRequest extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** @param what a sentence for the log that says what is wrong with the frame */
    public MalformedRequest(String what) {
        super(what, null, false, false);
    }
}
