package io.felice.plugins;

/**
 * Who signed a jar.
 *
 * @param subject the subject of the certificate; empty if the jar is not signed
 * @param isTrusted true if a trusted certificate vouches for it
 */
record Signer(String subject, boolean isTrusted) {
    static final Signer NOBODY = new Signer("", false);

    /** For a table: {@code signed by CN=Example}. */
    String badge() {
        if (subject.isEmpty()) {
            return "";
        }
        return "signed by " + subject + (isTrusted ? "" : ", who is not trusted here");
    }
}
