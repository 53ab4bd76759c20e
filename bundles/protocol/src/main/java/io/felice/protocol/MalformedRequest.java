package io.felice.protocol;

/** A frame that is no request; there is no answer to it but to close the connection. */
public final class MalformedRequest extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public MalformedRequest(String what) {
        super(what, null, false, false);
    }
}
