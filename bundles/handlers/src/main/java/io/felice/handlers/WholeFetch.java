package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.partition.FetchPlan.Want;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;

/** A fetch that names all its partitions, and is answered for all of them. It may begin a session. */
final class WholeFetch {
    private static final int NO_SESSION = 0;

    private final FetchHandler handler;
    private final AskedFetch asked;
    private final List<Wanted> wanted;
    private final boolean beginsSession;
    /** The topic's name for each of {@link #wanted}, null if its id is unknown. */
    private final String[] names;

    private final Set<String> topics = new LinkedHashSet<>();
    /** The topics that the client may not read. */
    private Set<String> refused = Set.of();

    WholeFetch(FetchHandler handler, AskedFetch asked, List<Wanted> wanted, boolean beginsSession) {
        this.handler = handler;
        this.asked = asked;
        this.wanted = wanted;
        this.beginsSession = beginsSession;
        this.names = new String[wanted.size()];
        TopicNaming known = new TopicNaming(handler.metadata().view());
        String last = null;
        for (int i = 0; i < names.length; i++) {
            String name = known.of(wanted.get(i).key());
            names[i] = name;
            if (name != null && name != last) {
                topics.add(name);
                last = name;
            }
        }
    }

    List<Action> needs() {
        return asked.needs(topics);
    }

    CompletionStage<FetchResponseData> begin(Allowed allowed) {
        refused = asked.refused(topics, allowed);
        List<Want> wants = new ArrayList<>(wanted.size());
        for (int i = 0; i < names.length; i++) {
            if (isReadable(i)) {
                wants.add(wanted.get(i).under(names[i]));
            }
        }
        if (wants.isEmpty()) {
            return CompletableFuture.completedFuture(respond(List.of()));
        }
        return handler.partitions()
                .fetch(asked.plan(wants, handler.mostBytes()))
                .thenApply(this::respondOrRelease);
    }

    private boolean isReadable(int i) {
        return names[i] != null && !isRefused(i);
    }

    private boolean isRefused(int i) {
        return !refused.isEmpty() && refused.contains(names[i]);
    }

    private FetchResponseData respondOrRelease(List<FetchedPartition> fetched) {
        try {
            return respond(fetched);
        } catch (RuntimeException broken) {
            FetchAnswer.release(fetched);
            throw broken;
        }
    }

    private FetchResponseData respond(List<FetchedPartition> fetched) {
        FetchAnswer answer = handler.answer(asked);
        Iterator<FetchedPartition> answers = fetched.iterator();
        for (int i = 0; i < names.length; i++) {
            Wanted one = wanted.get(i);
            PartitionData data = isReadable(i)
                    ? answer.read(one, answers.next())
                    : answer.failed(
                            one, isRefused(i) ? ErrorCode.TOPIC_AUTHORIZATION_FAILED : ErrorCode.UNKNOWN_TOPIC_ID);
            one.tell(data);
            answer.add(one, names[i], data);
        }
        return answer.ofSession(beginsSession ? newSession() : NO_SESSION);
    }

    private int newSession() {
        return handler.sessions()
                .create(wanted, asked, handler.partitions()::repeatedFetch)
                .map(FetchSession::id)
                .orElse(NO_SESSION);
    }
}
