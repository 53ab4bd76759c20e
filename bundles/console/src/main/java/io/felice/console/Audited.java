package io.felice.console;

import io.felice.api.security.AuditLog;
import io.felice.console.http.ApiRequest;

/** Writes to the audit log what users of the console change: one line for each change that was made. */
final class Audited {
    private final NodeServices services;

    Audited(NodeServices services) {
        this.services = services;
    }

    /** @param change without secrets */
    void changed(ApiRequest request, String change) {
        services.find(AuditLog.class)
                .ifPresent(audit -> audit.changed(request.caller().words(), change));
    }
}
