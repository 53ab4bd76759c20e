package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.security.Quotas;
import io.felice.api.security.Quotas.Kind;
import io.felice.protocol.RequestContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * Counts the partitions that clients create and delete (KIP-599). A client that is over its quota is refused, and told how
 * long to wait; a client that does not know this error has to wait after its change.
 */
@Component(service = Mutations.class)
public final class Mutations {
    private final Quotas quotas;

    @Activate
    public Mutations(@Reference Quotas quotas) {
        this.quotas = quotas;
    }

    /**
     * Begins to count the changes of a request.
     *
     * @param firstStrict the first version of the API whose clients know the error
     */
    Count of(RequestContext context, int firstStrict) {
        return new Count(context, context.apiVersion() >= firstStrict);
    }

    /** The changes of one request. One thread. */
    final class Count {
        private final RequestContext context;
        private final boolean isStrict;
        private int throttleMs;

        private Count(RequestContext context, boolean isStrict) {
            this.context = context;
            this.isStrict = isStrict;
        }

        /**
         * Counts partitions that are about to be created or deleted.
         *
         * @throws io.felice.api.FeliceException THROTTLING_QUOTA_EXCEEDED if the client has to wait first
         */
        void add(int partitions) {
            if (!quotas.isAny(Kind.CONTROLLER_MUTATION)) {
                return;
            }
            int wait = isStrict ? charge(0) : 0;
            if (wait == 0) {
                throttleMs = Math.max(throttleMs, charge(partitions));
                return;
            }
            throttleMs = Math.max(throttleMs, wait);
            throw ErrorCode.THROTTLING_QUOTA_EXCEEDED.because("The throttling quota has been exceeded.");
        }

        private int charge(int partitions) {
            return quotas.charge(Kind.CONTROLLER_MUTATION, context.requester(), context.clientId(), partitions);
        }

        /** For how many milliseconds the client has to wait before its next request. */
        int throttleMs() {
            return throttleMs;
        }
    }
}
