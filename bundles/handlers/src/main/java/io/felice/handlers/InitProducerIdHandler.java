package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.partition.Partitions;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Gives producer ids to idempotent producers. Refuses transactional producers with a fatal error. */
@Component
@Serves(key = Apis.INIT_PRODUCER_ID)
public final class InitProducerIdHandler
        implements RequestHandler<InitProducerIdRequestData, InitProducerIdResponseData> {
    private static final long NO_ID = -1;
    private static final short NO_EPOCH = -1;

    private final Partitions partitions;
    private final Rights rights;

    @Activate
    public InitProducerIdHandler(@Reference Partitions partitions, @Reference Rights rights) {
        this.partitions = partitions;
        this.rights = rights;
    }

    @Override
    public CompletionStage<InitProducerIdResponseData> handle(
            InitProducerIdRequestData request, RequestContext context) {
        return rights.ask(request, context, InitProducerIdHandler::needs, this::init);
    }

    private static List<Action> needs(InitProducerIdRequestData request, RequestContext context) {
        return request.transactionalId() == null
                ? List.of(Action.onCluster(Operation.IDEMPOTENT_WRITE))
                : List.of(new Action(Operation.WRITE, ResourceType.TRANSACTIONAL_ID, request.transactionalId()));
    }

    /** A producer needs no more than the right to write to some topic (KIP-679). */
    private CompletionStage<InitProducerIdResponseData> init(
            InitProducerIdRequestData request, RequestContext context, Allowed allowed) {
        if (request.transactionalId() != null) {
            Rights.require(allowed, Operation.WRITE, ResourceType.TRANSACTIONAL_ID, request.transactionalId());
            return CompletableFuture.completedFuture(failed(refusal(request.transactionalId())));
        }
        if (allowed.hasOnCluster(Operation.IDEMPOTENT_WRITE)) {
            return newId(request, context);
        }
        return rights.askAny(context, Operation.WRITE, ResourceType.TOPIC)
                .thenCompose(mayWrite -> mayWrite || allowed.permits(Action.onCluster(Operation.IDEMPOTENT_WRITE))
                        ? newId(request, context)
                        : CompletableFuture.completedFuture(failed(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)));
    }

    private CompletionStage<InitProducerIdResponseData> newId(
            InitProducerIdRequestData request, RequestContext context) {
        if ((request.producerId() == NO_ID) != (request.producerEpoch() == NO_EPOCH)) {
            return CompletableFuture.completedFuture(failed(ErrorCode.INVALID_REQUEST));
        }
        return partitions
                .newProducerId()
                .handle((id, failure) -> failure == null
                        ? new InitProducerIdResponseData().setProducerId(id).setProducerEpoch((short) 0)
                        : failed(later(Failures.codeOf(failure, context))));
    }

    /**
     * The error for a transactional producer. UNSUPPORTED_VERSION is fatal to every client, and its text tells the user
     * that the broker does not support the request.
     */
    private static ErrorCode refusal(String transactionalId) {
        return transactionalId.isEmpty() ? ErrorCode.INVALID_REQUEST : ErrorCode.UNSUPPORTED_VERSION;
    }

    /**
     * The error while there is no producer id yet: clients retry on COORDINATOR_LOAD_IN_PROGRESS. On
     * COORDINATOR_NOT_AVAILABLE, Java's producer would look for the coordinator of a transactional id, which an
     * idempotent producer does not have.
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
