package io.felice.console.access;

import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import java.net.InetAddress;

/** The user who asks, from which address, and with which role. */
public record Caller(Principal principal, InetAddress host, ConsoleRole role, Session session) {
    public Requester requester() {
        return new Requester(principal, host);
    }

    public String user() {
        return principal.name();
    }

    /** For the audit log. */
    public String words() {
        return "console:" + principal + "@" + host.getHostAddress();
    }
}
