package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.group.Groups;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.FindCoordinatorResponseData.Coordinator;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * Returns the broker that coordinates a group. Refuses transactional ids with a fatal error and a message that clients
 * show.
 */
@Component
@Serves(key = Apis.FIND_COORDINATOR)
public final class FindCoordinatorHandler
        implements RequestHandler<FindCoordinatorRequestData, FindCoordinatorResponseData> {
    private static final short FIRST_WITH_MANY_KEYS = 4;
    private static final short LAST_OF_LIBRDKAFKA = 2;
    private static final byte GROUP = 0;
    private static final byte TRANSACTION = 1;

    private final Groups groups;
    private final ClusterMetadata metadata;
    private final Deadlines deadlines;
    private final Rights rights;

    @Activate
    public FindCoordinatorHandler(
            @Reference Groups groups,
            @Reference ClusterMetadata metadata,
            @Reference Deadlines deadlines,
            @Reference Rights rights) {
        this.groups = groups;
        this.metadata = metadata;
        this.deadlines = deadlines;
        this.rights = rights;
    }

    @Override
    public CompletionStage<FindCoordinatorResponseData> handle(
            FindCoordinatorRequestData request, RequestContext context) {
        return rights.ask(request, context, FindCoordinatorHandler::needs, this::find);
    }

    private static List<Action> needs(FindCoordinatorRequestData request, RequestContext context) {
        ResourceType type = request.keyType() == TRANSACTION ? ResourceType.TRANSACTIONAL_ID : ResourceType.GROUP;
        return Rights.each(Operation.DESCRIBE, type, keys(request, context.apiVersion()));
    }

    private static List<String> keys(FindCoordinatorRequestData request, short version) {
        return version >= FIRST_WITH_MANY_KEYS ? request.coordinatorKeys() : List.of(request.key());
    }

    private CompletionStage<FindCoordinatorResponseData> find(
            FindCoordinatorRequestData request, RequestContext context, Allowed allowed) {
        boolean many = context.apiVersion() >= FIRST_WITH_MANY_KEYS;
        FindCoordinatorResponseData response = new FindCoordinatorResponseData();
        Gathering<FindCoordinatorResponseData> answer =
                new Gathering<>(response, many ? UnaryOperator.identity() : FindCoordinatorHandler::single);
        for (String key : keys(request, context.apiVersion())) {
            Coordinator coordinator =
                    new Coordinator().setKey(key).setNodeId(-1).setHost("").setPort(-1);
            response.coordinators().add(coordinator);
            answer.item(
                    () -> find(request.keyType(), key, context.apiVersion(), allowed),
                    (brokerId, failure) -> fill(coordinator, brokerId, failure, context));
        }
        return answer.begun();
    }

    private CompletionStage<Integer> find(byte keyType, String key, short version, Allowed allowed) {
        if (keyType == TRANSACTION) {
            Rights.require(allowed, Operation.DESCRIBE, ResourceType.TRANSACTIONAL_ID, key);
            throw refusalOfTransactions(version)
                    .because("This broker has no transactions yet: use a producer without transactional.id"
                            + " (transactional id " + key + ")");
        }
        if (keyType != GROUP) {
            throw ErrorCode.INVALID_REQUEST.because("This broker has no coordinators of type " + keyType);
        }
        Rights.require(allowed, Operation.DESCRIBE, ResourceType.GROUP, key);
        return deadlines.within(Deadlines.FIND_COORDINATOR_MS, groups.coordinatorOf(key));
    }

    /**
     * The error that makes the client give up. librdkafka uses version 2 at most and retries on every error except
     * TRANSACTIONAL_ID_AUTHORIZATION_FAILED. Java's producer shows the message with every error except that one.
     */
    private static ErrorCode refusalOfTransactions(short version) {
        return version <= LAST_OF_LIBRDKAFKA
                ? ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
                : ErrorCode.UNSUPPORTED_VERSION;
    }

    private void fill(Coordinator coordinator, Integer brokerId, Throwable failure, RequestContext context) {
        if (failure != null) {
            ErrorCode error = Failures.codeOf(failure, context);
            coordinator
                    .setErrorCode(
                            error == ErrorCode.REQUEST_TIMED_OUT
                                    ? ErrorCode.COORDINATOR_NOT_AVAILABLE.code()
                                    : error.code())
                    .setErrorMessage(Failures.messageOf(failure));
            return;
        }
        Nodes.of(metadata, context)
                .node(brokerId)
                .ifPresentOrElse(
                        node -> coordinator
                                .setNodeId(node.id())
                                .setHost(node.host())
                                .setPort(node.port()),
                        () -> coordinator
                                .setErrorCode(ErrorCode.COORDINATOR_NOT_AVAILABLE.code())
                                .setErrorMessage("Broker " + brokerId + " is not available now"));
    }

    /** Before version 4 the request has one key, and the response itself holds that key's coordinator. */
    private static FindCoordinatorResponseData single(FindCoordinatorResponseData many) {
        Coordinator only = many.coordinators().get(0);
        return new FindCoordinatorResponseData()
                .setErrorCode(only.errorCode())
                .setErrorMessage(only.errorMessage())
                .setNodeId(only.nodeId())
                .setHost(only.host())
                .setPort(only.port());
    }
}
