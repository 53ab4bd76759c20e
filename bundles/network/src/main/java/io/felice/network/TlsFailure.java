package io.felice.network;

import java.io.IOException;

/** TLS ends a connection. The message says what the client did. */
final class TlsFailure extends IOException {
    private static final long serialVersionUID = 1L;

    TlsFailure(String sentence, Throwable cause) {
        super(sentence, cause);
    }

    TlsFailure(String sentence) {
        this(sentence, null);
    }
}
