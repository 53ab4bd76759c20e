package io.felice.security;

import io.felice.api.Subscription;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.security.QuotaEntity;
import io.felice.api.security.Quotas;
import io.felice.api.security.Requester;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableColumn.Unit;
import io.felice.api.status.TableSchema;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/** Counts what clients use by the quotas of the cluster. */
@Component(service = {Quotas.class, StatusSource.class})
public final class QuotaService implements Quotas, StatusSource {
    private static final TableSchema LIMITS = TableSchema.limits("security.quotas");
    private static final TableSchema THROTTLED = TableSchema.of(
                    "security.quotas.throttled", "Clients that had to wait for their quotas")
            .label("client", "The user, the client id or the address that has the quota")
            .label("quota", "The quota that made the client wait")
            .gauge("limit.per.second", "The quota: bytes, percent of a thread's time, changes or connections a second")
            .counter("throttled.ms", Unit.MILLISECONDS, "How long the client had to wait, all waits together")
            .gauge("wait.ms", Unit.MILLISECONDS, "How long its next request has to wait");
    /** Most clients that are counted apart; when there are more, those that are within their quotas are forgotten. */
    static final int MOST_CLIENTS = 50_000;

    /** A client that used much at once waits no longer than this for one request. */
    static final long LONGEST_WAIT_MS = TimeUnit.SECONDS.toMillis(TokenBucket.WINDOW_SECONDS);

    /** As in Kafka: time on threads is measured, and one slow request must not block a client for long. */
    private static final long LONGEST_REQUEST_WAIT_MS = 1_000;

    private static final int MOST_ROWS = 1_000;
    private static final double MS = 1_000;

    private final Map<Client, Use> clients = new ConcurrentHashMap<>();
    private final LongSupplier nanoTime;
    private final Subscription subscription;
    private volatile QuotaLimits limits = QuotaLimits.NONE;
    private volatile Map<QuotaEntity, Map<String, Double>> seen = Map.of();

    private record Client(Kind kind, QuotaEntity who) {}

    /** What a client has used. */
    private static final class Use {
        private final TokenBucket bucket = new TokenBucket();
        private final AtomicLong throttledMs = new AtomicLong();
        private volatile double perSecond;
    }

    @Activate
    public QuotaService(@Reference ClusterMetadata metadata) {
        this(metadata, System::nanoTime);
    }

    QuotaService(ClusterMetadata metadata, LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.subscription = metadata.listen(this::changed);
    }

    @Deactivate
    public void close() {
        subscription.close();
    }

    private void changed(ClusterView view) {
        Map<QuotaEntity, Map<String, Double>> now = view.security().quotas();
        if (now != seen) {
            limits = new QuotaLimits(now);
            seen = now;
            clients.keySet().removeIf(client -> !limits.isAny(client.kind()));
        }
    }

    @Override
    public boolean isAny(Kind kind) {
        return limits.isAny(kind);
    }

    @Override
    public int charge(Kind kind, Requester who, String clientId, double amount) {
        QuotaLimits.Limit limit = limitOf(kind, who, clientId);
        if (limit == null) {
            return 0;
        }
        Use use = useOf(kind, limit);
        double seconds = use.bucket.take(amount, limit.perSecond(), nanoTime.getAsLong());
        int ms = (int) Math.min(longest(kind), Math.ceil(seconds * MS));
        if (ms > 0) {
            use.throttledMs.addAndGet(ms);
        }
        return ms;
    }

    private QuotaLimits.Limit limitOf(Kind kind, Requester who, String clientId) {
        return kind == Kind.CONNECTION
                ? limits.ofAddress(kind, Addresses.textOf(who.host()))
                : limits.of(kind, who.principal().name(), clientId);
    }

    private static long longest(Kind kind) {
        return kind == Kind.REQUEST ? LONGEST_REQUEST_WAIT_MS : LONGEST_WAIT_MS;
    }

    private Use useOf(Kind kind, QuotaLimits.Limit limit) {
        Client client = new Client(kind, limit.sharedBy());
        Use use = clients.get(client);
        if (use == null) {
            if (clients.size() >= MOST_CLIENTS) {
                forgetThoseWithinTheirQuotas();
            }
            use = clients.computeIfAbsent(client, unused -> new Use());
        }
        use.perSecond = limit.perSecond();
        return use;
    }

    private void forgetThoseWithinTheirQuotas() {
        long now = nanoTime.getAsLong();
        clients.values().removeIf(use -> use.bucket.isFull(use.perSecond, now));
        if (clients.size() >= MOST_CLIENTS) {
            clients.values().removeIf(use -> use.bucket.wait(use.perSecond, now) == 0);
        }
    }

    @Override
    public List<StatusTable> tables() {
        long now = nanoTime.getAsLong();
        List<List<Object>> rows = clients.entrySet().stream()
                .filter(entry -> entry.getValue().throttledMs.get() > 0)
                .limit(MOST_ROWS)
                .map(entry -> row(entry.getKey(), entry.getValue(), now))
                .toList();
        return List.of(
                LIMITS.rows(List.of(TableSchema.limit("clients", clients.size(), MOST_CLIENTS))), THROTTLED.rows(rows));
    }

    private static List<Object> row(Client client, Use use, long now) {
        return List.of(text(client.who()), client.kind().key(), use.perSecond, use.throttledMs.get(), (long)
                Math.ceil(use.bucket.wait(use.perSecond, now) * MS));
    }

    private static String text(QuotaEntity who) {
        if (who.ip() != null) {
            return "ip " + who.ip();
        }
        String user = who.user() == null ? "" : "user " + who.user();
        String client = who.clientId() == null ? "" : "client-id " + who.clientId();
        return user.isEmpty() || client.isEmpty() ? user + client : user + ", " + client;
    }
}
