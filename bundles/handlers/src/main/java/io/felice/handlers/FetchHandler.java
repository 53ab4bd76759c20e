package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.Configs;
import io.felice.api.config.ReadOnce;
import io.felice.api.partition.Partitions;
import io.felice.api.security.Principal;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Reads records for consumers and for followers. In a fetch session, the response holds only partitions with changes (KIP-227). */
@Component(
        service = {RequestHandler.class, StatusSource.class},
        configurationPid = "io.felice.handlers")
@Designate(ocd = FetchHandler.Config.class)
@Serves(key = Apis.FETCH)
public final class FetchHandler implements RequestHandler<FetchRequestData, FetchResponseData>, StatusSource {
    private static final TableSchema LIMITS = TableSchema.limits("handlers.limits");
    /** The limits of fetch sessions. */
    @ObjectClassDefinition(name = "Felice handlers")
    public @interface Config {
        @AttributeDefinition(
                description = "Most fetch sessions at a time (KIP-227). A client without a session names all its"
                        + " partitions in every fetch request.",
                min = "0")
        int fetch_sessions() default 1000;

        @AttributeDefinition(description = "Most partitions of all fetch sessions together.", min = "0")
        int fetch_session_partitions() default 500_000;

        @AttributeDefinition(
                description =
                        "After how long without a request a new fetch session may replace an old one, in milliseconds.",
                min = "0")
        long fetch_session_eviction_ms() default 120_000;
    }

    private static final int FULL = 0;
    private static final int FINAL = -1;

    private final Partitions partitions;
    private final ClusterMetadata metadata;
    private final Configs configs;
    private final Rights rights;
    private final FetchSessions sessions;
    private volatile Config inForce;

    @Activate
    public FetchHandler(
            @Reference Partitions partitions,
            @Reference ClusterMetadata metadata,
            @Reference Configs configs,
            @Reference Rights rights,
            Config config) {
        this(
                partitions,
                metadata,
                configs,
                rights,
                new FetchSessions(
                        new FetchSessions.Limits(
                                config.fetch_sessions(),
                                config.fetch_session_partitions(),
                                config.fetch_session_eviction_ms()),
                        () -> System.nanoTime() / 1_000_000,
                        () -> ThreadLocalRandom.current().nextInt(1, Integer.MAX_VALUE)));
        inForce = config;
    }

    /**
     * New limits are read at the next start of this component: a component made anew would lose all fetch sessions.
     */
    @Modified
    void modified(Config wanted) {
        ReadOnce.compare("io.felice.handlers", Config.class, inForce, wanted, Set.of());
    }

    FetchHandler(
            Partitions partitions, ClusterMetadata metadata, Configs configs, Rights rights, FetchSessions sessions) {
        this.partitions = partitions;
        this.metadata = metadata;
        this.configs = configs;
        this.rights = rights;
        this.sessions = sessions;
    }

    @Override
    public CompletionStage<FetchResponseData> handle(FetchRequestData request, RequestContext context) {
        AskedFetch asked = new AskedFetch(request, context);
        Principal client = asked.client();
        boolean full = request.sessionEpoch() == FULL || request.sessionEpoch() == FINAL;
        if (full) {
            sessions.remove(request.sessionId(), client);
            return whole(asked, request.sessionEpoch() == FULL, asked.wanted());
        }
        Optional<FetchSession> found = sessions.find(request.sessionId(), client);
        return found.isPresent() ? resume(found.get(), asked) : failed(ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
    }

    /** @param beginsSession true if the client gets a session, unless there are too many */
    private CompletionStage<FetchResponseData> whole(AskedFetch asked, boolean beginsSession, List<Wanted> wanted) {
        WholeFetch fetch = new WholeFetch(this, asked, wanted, beginsSession);
        return rights.ask(
                fetch,
                asked.context(),
                (whole, unused) -> whole.needs(),
                (whole, unused, allowed) -> whole.begin(allowed));
    }

    private CompletionStage<FetchResponseData> resume(FetchSession session, AskedFetch asked) {
        int size = session.size();
        FetchSession.Step step;
        try {
            step = session.advance(asked, sessions.nowMs());
        } catch (FeliceException refused) {
            return failed(refused.code());
        }
        int now = session.size();
        boolean tooMany = now > size && !sessions.mayGrow();
        if (now == 0 || tooMany) {
            List<Wanted> all = session.all();
            sessions.remove(session.id(), asked.client());
            return whole(asked, false, all);
        }
        SessionFetch fetch = new SessionFetch(this, asked, session, step);
        return rights.ask(
                fetch,
                asked.context(),
                (changed, unused) -> changed.needs(),
                (changed, unused, allowed) -> changed.begin(allowed));
    }

    private static CompletionStage<FetchResponseData> failed(ErrorCode error) {
        return CompletableFuture.completedFuture(new FetchResponseData().setErrorCode(error.code()));
    }

    /** Its sessions are of the partitions of a broker that goes on. */
    @Deactivate
    void close() {
        sessions.close();
    }

    @Override
    public List<StatusTable> tables() {
        FetchSessions.Limits limits = sessions.limits();
        return List.of(LIMITS.rows(List.of(
                TableSchema.limit("fetch.sessions", sessions.size(), limits.sessions()),
                TableSchema.limit("fetch.session.partitions", sessions.partitions(), limits.partitions()))));
    }

    // ---- for the fetches

    Partitions partitions() {
        return partitions;
    }

    ClusterMetadata metadata() {
        return metadata;
    }

    Rights rights() {
        return rights;
    }

    FetchSessions sessions() {
        return sessions;
    }

    int mostBytes() {
        return configs.broker().getInt(BrokerConfig.FETCH_MAX_BYTES);
    }

    FetchAnswer answer(AskedFetch asked) {
        return new FetchAnswer(asked, metadata, configs);
    }
}
