package io.felice.network;

import io.felice.api.security.AuditLog;
import io.felice.api.security.Principal;
import java.net.InetAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes down who has logged in with a certificate, and who was refused. While the bundle with the audit log is away, its
 * logger gets the lines. Any thread.
 */
final class CertificateLogins {
    private static final String CERTIFICATE = "certificate";

    private volatile AuditLog audit = new WithoutCounts();

    void bind(AuditLog now) {
        audit = now;
    }

    void unbind(AuditLog gone) {
        if (audit == gone) {
            audit = new WithoutCounts();
        }
    }

    void known(Identity client, Principal principal) {
        audit.loggedIn(principal, client.remote().getAddress(), client.listener(), CERTIFICATE);
    }

    void refused(Identity client) {
        audit.refused(client.remote().getAddress(), client.listener(), CERTIFICATE);
    }

    private static final class WithoutCounts implements AuditLog {
        private static final Logger lines = LoggerFactory.getLogger("io.felice.audit");

        @Override
        public void loggedIn(Principal principal, InetAddress host, String listener, String mechanism) {
            lines.info(
                    "login principal={} host={} listener={} mechanism={}",
                    TlsSentences.printable(principal.toString()),
                    host.getHostAddress(),
                    listener,
                    mechanism);
        }

        @Override
        public void refused(InetAddress host, String listener, String mechanism) {
            lines.info("login-refused host={} listener={} mechanism={}", host.getHostAddress(), listener, mechanism);
        }

        @Override
        public void changed(String by, String change) {
            lines.info("changed by={} change=\"{}\"", by, TlsSentences.printable(change));
        }
    }
}
