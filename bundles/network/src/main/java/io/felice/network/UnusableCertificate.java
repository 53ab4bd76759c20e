package io.felice.network;

/** A file with keys or certificates cannot be used. The message says why, for the operator. */
final class UnusableCertificate extends Exception {
    private static final long serialVersionUID = 1L;

    UnusableCertificate(String sentence) {
        super(sentence);
    }
}
