package io.felice.network;

import java.security.cert.CertificateException;
import java.util.Map;
import javax.net.ssl.SSLException;

/** Says in plain words why the JDK's engine ended a connection. */
final class TlsSentences {
    /** By a part of the JDK's message. */
    private static final Map<String, String> KNOWN = Map.of(
            "Tag mismatch", "a record was changed on its way",
            "Empty client certificate chain", "it has no certificate, and ssl.client.auth is required",
            "no cipher suites in common", "it offers no cipher suite that this node accepts",
            "Client requested protocol", "it offers no protocol version that this node accepts",
            "are not accepted by server preferences", "it offers no protocol version that this node accepts",
            "is not enabled or supported in server context", "it offers no protocol version that this node accepts",
            "Received fatal alert", "it refuses this node with the alert ");

    private static final int MOST_CHARACTERS = 200;

    private TlsSentences() {}

    static String of(SSLException failure) {
        String told = String.valueOf(failure.getMessage());
        for (Map.Entry<String, String> known : KNOWN.entrySet()) {
            if (told.contains(known.getKey())) {
                boolean isAlert = known.getValue().endsWith(" ");
                return isAlert ? known.getValue() + printable(told.substring(told.indexOf(':') + 2)) : known.getValue();
            }
        }
        for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause()) {
            if (cause instanceof CertificateException) {
                return "its certificate is not accepted: " + printable(cause.getMessage());
            }
        }
        return "TLS failed: " + printable(told);
    }

    /** A client could forge log lines with the names in its certificate. */
    static String printable(String text) {
        String known = String.valueOf(text);
        return known.substring(0, Math.min(known.length(), MOST_CHARACTERS)).replaceAll("[^\\x20-\\x7e]", "?");
    }
}
