package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.partition.Partitions;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Gives idempotent producers their ids; refuses transactional ones for good. */
@Component
@Serves(key = Apis.INIT_PRODUCER_ID)
public final class InitProducerIdHandler
        implements RequestHandler<InitProducerIdRequestData, InitProducerIdResponseData> {
    private static final long NO_ID = -1;
    private static final short NO_EPOCH = -1;

    private final Partitions partitions;

    @Activate
    public InitProducerIdHandler(@Reference Partitions partitions) {
        this.partitions = partitions;
    }

    @Override
    public CompletionStage<InitProducerIdResponseData> handle(
            InitProducerIdRequestData request, RequestContext context) {
        if (request.transactionalId() != null) {
            return CompletableFuture.completedFuture(failed(refusal(request.transactionalId())));
        }
        if ((request.producerId() == NO_ID) != (request.producerEpoch() == NO_EPOCH)) {
            return CompletableFuture.completedFuture(failed(ErrorCode.INVALID_REQUEST));
        }
        return partitions
                .newProducerId()
                .handle((id, failure) -> failure == null
                        ? new InitProducerIdResponseData().setProducerId(id).setProducerEpoch((short) 0)
                        : failed(later(Failures.codeOf(failure, context))));
    }

    /** UNSUPPORTED_VERSION is fatal to every client, and its text names what it is about: something not served here. */
    private static ErrorCode refusal(String transactionalId) {
        return transactionalId.isEmpty() ? ErrorCode.INVALID_REQUEST : ErrorCode.UNSUPPORTED_VERSION;
    }

    /**
     * While no ids can be had, clients ask again. COORDINATOR_NOT_AVAILABLE will not do: on it, Java's producer looks for
     * the coordinator of the transactional id that it has not got.
     */
    private static ErrorCode later(ErrorCode error) {
        return switch (error) {
            case COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, NOT_CONTROLLER, REQUEST_TIMED_OUT -> ErrorCode
                    .COORDINATOR_LOAD_IN_PROGRESS;
            default -> error;
        };
    }

    private static InitProducerIdResponseData failed(ErrorCode error) {
        return new InitProducerIdResponseData()
                .setErrorCode(error.code())
                .setProducerId(NO_ID)
                .setProducerEpoch(NO_EPOCH);
    }
}
