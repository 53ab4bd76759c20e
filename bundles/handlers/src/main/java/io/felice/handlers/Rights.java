package io.felice.handlers;

import static io.felice.api.security.Operation.DESCRIBE;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.Turn;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization;
import io.felice.api.security.Authorization.Allowed;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.protocol.RequestContext;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Function;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * Asks what the client of a request may do before the request is answered. All handlers of requests about something that
 * has rights begin with {@link #ask}.
 *
 * <p>If the decision is there at once, the request is answered on the calling thread and in its I/O round. If it comes
 * late, later requests of the connection that ask too wait behind the request, so that the order of a producer's batches
 * and of a group member's requests is kept.
 */
@Component(service = Rights.class)
public final class Rights {
    private final Authorization authorization;
    /** The last request of a connection that waits for its decision. Completes when that request has begun. */
    private final ConcurrentMap<RequestContext.Connection, CompletableFuture<?>> waiting = new ConcurrentHashMap<>();

    @Activate
    public Rights(@Reference Authorization authorization) {
        this.authorization = authorization;
    }

    /** The actions that a request needs. Called before anything else is done for the request. */
    @FunctionalInterface
    interface Needs<Q> {
        Collection<Action> of(Q request, RequestContext context);
    }

    /** Answers a request, within what is allowed. Uses the context that it gets: its turn is that of the calling thread. */
    @FunctionalInterface
    interface Answer<Q, R> {
        CompletionStage<R> of(Q request, RequestContext context, Allowed allowed);
    }

    /** False if everybody may do everything. */
    boolean areEnforced() {
        return authorization.isEnforced();
    }

    /** Answers the request when it is known what of {@code needs} is allowed. */
    <Q, R> CompletionStage<R> ask(Q request, RequestContext context, Needs<Q> needs, Answer<Q, R> answer) {
        boolean isFirst = waiting.isEmpty() || !waiting.containsKey(context.connection());
        if (isFirst && !authorization.isEnforced()) {
            return answer.of(request, context, Allowed.EVERYTHING);
        }
        CompletableFuture<Allowed> asked = authorization
                .ask(context.requester(), needs.of(request, context))
                .toCompletableFuture();
        return isFirst && asked.isDone()
                ? answer.of(request, context, asked.join())
                : later(request, context, asked, answer);
    }

    private <Q, R> CompletionStage<R> later(
            Q request, RequestContext context, CompletableFuture<Allowed> asked, Answer<Q, R> answer) {
        RequestContext outsideTheRound = new RequestContext(
                context.apiKey(),
                context.apiVersion(),
                context.correlationId(),
                context.clientId(),
                context.requester(),
                context.connection(),
                Turn.IMMEDIATE);
        CompletableFuture<?> before =
                waiting.getOrDefault(context.connection(), CompletableFuture.completedFuture(null));
        CompletableFuture<CompletionStage<R>> begun = before.handle((done, failed) -> null)
                .thenCombine(asked, (done, allowed) -> answer.of(request, outsideTheRound, allowed));
        waiting.put(context.connection(), begun);
        begun.whenComplete((done, failed) -> waiting.remove(context.connection(), begun));
        return begun.thenCompose(Function.identity());
    }

    /**
     * Answers the request if the client may do this one thing. Otherwise the stage fails with the error of {@link
     * #refusal}.
     */
    <R> CompletionStage<R> require(
            RequestContext context,
            Operation operation,
            ResourceType type,
            String name,
            Function<RequestContext, CompletionStage<R>> answer) {
        return ask(
                name,
                context,
                (asked, unused) -> List.of(new Action(operation, type, asked)),
                (asked, now, allowed) -> allowed.permits(operation, type, asked)
                        ? answer.apply(now)
                        : CompletableFuture.failedFuture(refusal(type)));
    }

    /** As {@link #require} for an operation on the cluster. */
    <R> CompletionStage<R> requireOnCluster(
            RequestContext context, Operation operation, Function<RequestContext, CompletionStage<R>> answer) {
        return require(context, operation, ResourceType.CLUSTER, ResourceType.CLUSTER_NAME, answer);
    }

    /** Asks about more actions of a request, when it is known only now what they are about. */
    CompletionStage<Allowed> askMore(RequestContext context, Collection<Action> actions) {
        return authorization.ask(context.requester(), actions);
    }

    /** True if the client may do this with any resource of the type (KIP-679). */
    CompletionStage<Boolean> askAny(RequestContext context, Operation operation, ResourceType type) {
        return authorization.askAny(context.requester(), operation, type);
    }

    // ---- what to ask

    /** The operation on the resources with these names. */
    static List<Action> each(Operation operation, ResourceType type, Collection<String> names) {
        List<Action> actions = new ArrayList<>(names.size());
        names.forEach(name -> actions.add(new Action(operation, type, name)));
        return actions;
    }

    /** Adds what {@link #bits} needs. */
    static void addAll(Collection<Action> actions, ResourceType type, String name) {
        type.operations().forEach(operation -> actions.add(new Action(operation, type, name)));
    }

    // ---- what is allowed

    /** The operations that the client may do with a resource, as bits by the numbers of the operations (KIP-430). */
    static int bits(Allowed allowed, ResourceType type, String name) {
        int bits = 0;
        for (Operation operation : type.operations()) {
            bits |= allowed.has(operation, type, name) ? 1 << operation.code() : 0;
        }
        return bits;
    }

    /** As {@link #bits}; no operation at all if the client may not describe the cluster. */
    static int bitsOfCluster(Allowed allowed) {
        return allowed.hasOnCluster(DESCRIBE) ? bits(allowed, ResourceType.CLUSTER, ResourceType.CLUSTER_NAME) : 0;
    }

    /** @throws FeliceException the error of {@link #refusal} if this is not allowed */
    static void require(Allowed allowed, Operation operation, ResourceType type, String name) {
        if (!allowed.permits(operation, type, name)) {
            throw refusal(type);
        }
    }

    /** True if the client may create the topic: it may create all topics, or this one. */
    static boolean permitCreation(Allowed allowed, String topic) {
        return allowed.permits(
                Action.onCluster(Operation.CREATE), new Action(Operation.CREATE, ResourceType.TOPIC, topic));
    }

    /** The error of a request, or a part of one, that is not allowed. Kafka's code and sentence. */
    static FeliceException refusal(ResourceType type) {
        return switch (type) {
            case TOPIC -> ErrorCode.TOPIC_AUTHORIZATION_FAILED.because("Topic authorization failed.");
            case GROUP -> ErrorCode.GROUP_AUTHORIZATION_FAILED.because("Group authorization failed.");
            case CLUSTER, USER -> ErrorCode.CLUSTER_AUTHORIZATION_FAILED.because("Cluster authorization failed.");
            case TRANSACTIONAL_ID -> ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED.because(
                    "Transactional Id authorization failed.");
            case DELEGATION_TOKEN -> ErrorCode.DELEGATION_TOKEN_AUTHORIZATION_FAILED.because(
                    "Delegation Token authorization failed.");
        };
    }
}
