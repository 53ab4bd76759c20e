package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.partition.FetchPlan.Want;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;

/**
 * A fetch within a session: the request names the partitions of which the client wants something else than before, and the
 * response has the partitions with news. All that is done here is for these, not for all partitions of the session.
 */
final class SessionFetch {
    private final FetchHandler handler;
    private final AskedFetch asked;
    private final FetchSession session;
    private final FetchSession.Step step;
    private final List<String> names;
    private final Set<String> topics = new LinkedHashSet<>();
    /** The partitions that cannot be read, with their topics and errors, in one order. */
    private final List<Wanted> unread = new ArrayList<>();

    private final List<String> unreadTopics = new ArrayList<>();
    private final List<ErrorCode> errors = new ArrayList<>();

    SessionFetch(FetchHandler handler, AskedFetch asked, FetchSession session, FetchSession.Step step) {
        this.handler = handler;
        this.asked = asked;
        this.session = session;
        this.step = step;
        this.names = new ArrayList<>(step.changed().size());
        TopicNaming known = new TopicNaming(handler.metadata().view());
        for (Wanted one : step.changed()) {
            String name = known.of(one.key());
            names.add(name);
            if (name != null) {
                topics.add(name);
            }
        }
        if (asksForRights()) {
            topics.addAll(session.topicsToAskFor(handler.sessions().nowMs()));
        }
    }

    private boolean asksForRights() {
        return !asked.isReplica() && handler.rights().areEnforced();
    }

    List<Action> needs() {
        return asked.needs(topics);
    }

    CompletionStage<FetchResponseData> begin(Allowed allowed) {
        Set<String> refused = asked.refused(topics, allowed);
        List<Want> wants = new ArrayList<>(names.size());
        List<TopicPartition> forgotten = new ArrayList<>(step.forgotten());
        for (int i = 0; i < names.size(); i++) {
            Wanted one = step.changed().get(i);
            String name = names.get(i);
            if (name == null || refused.contains(name)) {
                session.leaveOut(one).ifPresent(forgotten::add);
                cannotRead(one, name, name == null ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.TOPIC_AUTHORIZATION_FAILED);
            } else {
                wants.add(session.read(one, name));
            }
        }
        for (Wanted one : session.readingOf(refused)) {
            cannotRead(one, one.named().topic(), ErrorCode.TOPIC_AUTHORIZATION_FAILED);
            session.leaveOut(one).ifPresent(forgotten::add);
        }
        if (!session.isRead()) {
            forgotten.forEach(session::forgetLater);
            return CompletableFuture.completedFuture(respond(List.of(), Set.of()));
        }
        return session.fetch()
                .fetch(asked.plan(wants, handler.mostBytes()), forgotten)
                .thenCompose(this::judge);
    }

    private void cannotRead(Wanted one, String name, ErrorCode error) {
        unread.add(one);
        unreadTopics.add(name);
        errors.add(error);
    }

    /**
     * The rights were asked for the topics that the request names, and now and then for all. Others have something new, and
     * are asked for now.
     */
    private CompletionStage<FetchResponseData> judge(List<FetchedPartition> fetched) {
        Set<String> others = new HashSet<>();
        if (asksForRights()) {
            for (FetchedPartition one : fetched) {
                String topic = one.partition().topic();
                if (!topics.contains(topic)) {
                    others.add(topic);
                }
            }
        }
        if (others.isEmpty()) {
            return CompletableFuture.completedFuture(respondOrRelease(fetched, Set.of()));
        }
        return handler.rights()
                .askMore(asked.context(), Rights.each(Operation.READ, ResourceType.TOPIC, others))
                .thenApply(allowed -> respondOrRelease(fetched, asked.refused(others, allowed)));
    }

    private FetchResponseData respondOrRelease(List<FetchedPartition> fetched, Set<String> refused) {
        try {
            return respond(fetched, refused);
        } catch (RuntimeException broken) {
            FetchAnswer.release(fetched);
            throw broken;
        }
    }

    private FetchResponseData respond(List<FetchedPartition> fetched, Set<String> refused) {
        synchronized (session) {
            if (session.isAt(FetchSession.nextEpoch(asked.request().sessionEpoch()))) {
                return respondWithNews(fetched, refused);
            }
        }
        FetchAnswer.release(fetched);
        return new FetchResponseData()
                .setErrorCode(ErrorCode.INVALID_FETCH_SESSION_EPOCH.code())
                .setSessionId(session.id());
    }

    private FetchResponseData respondWithNews(List<FetchedPartition> fetched, Set<String> refused) {
        FetchAnswer answer = handler.answer(asked);
        for (int i = 0; i < unread.size(); i++) {
            tell(answer, unread.get(i), unreadTopics.get(i), answer.failed(unread.get(i), errors.get(i)));
        }
        for (FetchedPartition one : fetched) {
            Wanted of = session.reading(one.partition());
            String topic = one.partition().topic();
            if (of == null) {
                one.records().close();
            } else if (refused.contains(topic)) {
                one.records().close();
                session.leaveOut(of).ifPresent(session::forgetLater);
                tell(answer, of, topic, answer.failed(of, ErrorCode.TOPIC_AUTHORIZATION_FAILED));
            } else if (isDeleted(of, one)) {
                tell(answer, of, topic, answer.failed(of, ErrorCode.UNKNOWN_TOPIC_ID));
            } else {
                tell(answer, of, topic, answer.read(of, one));
            }
        }
        return answer.ofSession(session.id());
    }

    private static void tell(FetchAnswer answer, Wanted of, String topic, PartitionData data) {
        if (of.tell(data)) {
            answer.add(of, topic, data);
        }
    }

    private boolean isDeleted(Wanted of, FetchedPartition one) {
        return asked.isById()
                && one.error() == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
                && new TopicNaming(handler.metadata().view()).of(of.key()) == null;
    }
}
