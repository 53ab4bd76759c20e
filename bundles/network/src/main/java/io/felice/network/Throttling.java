package io.felice.network;

import io.felice.api.security.Principal;
import io.felice.api.security.Quotas;
import io.felice.api.security.Requester;
import io.felice.protocol.Apis;
import io.felice.protocol.ThrottleTime;
import java.net.InetAddress;
import org.apache.kafka.common.protocol.ApiMessage;

/**
 * Charges clients for what they use. A client that is over its quota gets its answer at once; its next request is not read
 * until its time is over, so that its unread bytes wait in the socket and not in memory (KIP-219). Without the bundle that
 * counts, nobody is charged. Any thread.
 */
final class Throttling {
    private volatile Quotas quotas;

    void bind(Quotas now) {
        quotas = now;
    }

    void unbind(Quotas gone) {
        if (quotas == gone) {
            quotas = null;
        }
    }

    /** True if the time that handlers take is to be measured. */
    boolean countsTime() {
        Quotas now = quotas;
        return now != null && now.isAny(Quotas.Kind.REQUEST);
    }

    /**
     * Charges a request that is answered, and notes in the answer how long the client has to wait.
     *
     * @param response null if the client gets no answer
     * @return for how many milliseconds its connection is to be muted
     */
    int charge(PendingResponse pending, Requester who, ApiMessage response) {
        Quotas now = quotas;
        if (now == null) {
            return 0;
        }
        int wait = Math.max(chargeBytes(now, pending, who, response), chargeTime(now, pending, who));
        if (response == null) {
            return wait;
        }
        if (now.isAny(Quotas.Kind.CONTROLLER_MUTATION)) {
            wait = Math.max(wait, ThrottleTime.of(response));
        }
        if (wait > 0) {
            ThrottleTime.set(response, wait);
        }
        return wait;
    }

    private static int chargeBytes(Quotas quotas, PendingResponse pending, Requester who, ApiMessage response) {
        short key = pending.api.key();
        if (key == Apis.PRODUCE && quotas.isAny(Quotas.Kind.PRODUCE)) {
            return quotas.charge(Quotas.Kind.PRODUCE, who, pending.clientId, pending.requestBytes);
        }
        if (key == Apis.FETCH && quotas.isAny(Quotas.Kind.FETCH)) {
            return quotas.charge(Quotas.Kind.FETCH, who, pending.clientId, ResponseRecords.sizeInBytes(response));
        }
        return 0;
    }

    private static int chargeTime(Quotas quotas, PendingResponse pending, Requester who) {
        return quotas.isAny(Quotas.Kind.REQUEST)
                ? quotas.charge(Quotas.Kind.REQUEST, who, pending.clientId, pending.handlerNanos())
                : 0;
    }

    /** Charges an address for a connection. @return for how many milliseconds it is to be muted */
    int chargeConnection(InetAddress address) {
        Quotas now = quotas;
        return now != null && now.isAny(Quotas.Kind.CONNECTION)
                ? now.charge(Quotas.Kind.CONNECTION, new Requester(Principal.ANONYMOUS, address), "", 1)
                : 0;
    }
}
