package io.felice.security;

import io.felice.api.security.Action;
import io.felice.api.security.AuditLog;
import io.felice.api.security.Operation;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;
import java.net.InetAddress;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes down who was let in and who was not, and what was changed and what was refused, to the logger {@code
 * io.felice.audit}. What happens again and again is written once in {@link #EVERY_SECONDS} with the number of times, so that
 * nobody can fill a disk with it. Changes are always written. Any thread; does not block.
 */
@Component(service = {Audit.class, AuditLog.class, StatusSource.class})
public final class Audit implements AuditLog, StatusSource {
    private static final TableSchema STATUS = TableSchema.of(
                    "security.audit", "What was to be written to the audit log")
            .counter("changes", "Changes of the cluster")
            .counter("denials", "Requests that were refused")
            .counter("logins", "Logins that succeeded")
            .counter("logins.refused", "Logins that were refused")
            .gauge("kinds", "Kinds of lines that are counted apart now");
    static final int EVERY_SECONDS = 10;
    /** Most kinds of lines that are counted apart; further ones are counted together. */
    static final int MOST_KINDS = 10_000;

    private static final Logger log = LoggerFactory.getLogger("io.felice.audit");
    private static final String OTHERS = "others";
    private static final int MOST_CHARACTERS = 300;
    private static final Set<Operation> CHANGES = EnumSet.of(
            Operation.CREATE, Operation.DELETE, Operation.ALTER, Operation.ALTER_CONFIGS, Operation.CREATE_TOKENS);

    private final LongSupplier nanoTime;
    private final Consumer<String> lines;
    private final Map<String, Repeated> repeated = new ConcurrentHashMap<>();
    private long sweptAt;
    private final LongAdder changes = new LongAdder();
    private final LongAdder denials = new LongAdder();
    private final LongAdder logins = new LongAdder();
    private final LongAdder refusals = new LongAdder();

    @Activate
    public Audit() {
        this(System::nanoTime, log::info);
    }

    /** @param lines gets each line */
    Audit(LongSupplier nanoTime, Consumer<String> lines) {
        this.nanoTime = nanoTime;
        this.lines = lines;
    }

    /** A line that comes again. */
    private static final class Repeated {
        private long writtenAt;
        private long count;

        /** How often the line came since it was written last, with this time; 0 if it is not to be written now. */
        synchronized long comes(long now) {
            count++;
            boolean isDue = writtenAt == 0 || now - writtenAt >= TimeUnit.SECONDS.toNanos(EVERY_SECONDS);
            if (!isDue) {
                return 0;
            }
            writtenAt = now == 0 ? 1 : now;
            long times = count;
            count = 0;
            return times;
        }

        synchronized boolean isQuiet(long now) {
            return count == 0 && now - writtenAt >= TimeUnit.SECONDS.toNanos(EVERY_SECONDS);
        }
    }

    void allowed(Requester who, Action action) {
        if (CHANGES.contains(action.operation())) {
            changes.increment();
            lines.accept("allowed " + who(who) + " " + what(action));
        }
    }

    void denied(Requester who, Action action) {
        denials.increment();
        String kind = "denied " + who(who) + " " + action.operation() + " " + action.type();
        write(kind, "denied " + who(who) + " " + what(action));
    }

    @Override
    public void changed(String by, String change) {
        changes.increment();
        lines.accept("changed by=" + printable(by) + " change=\"" + readable(change) + "\"");
    }

    @Override
    public void loggedIn(Principal principal, InetAddress host, String listener, String mechanism) {
        logins.increment();
        String line = "login principal=" + printable(principal.toString()) + " host=" + host.getHostAddress()
                + " listener=" + listener + " mechanism=" + mechanism;
        write(line, line);
    }

    /** The name that the client gave is not written: it may be a password that was typed in the wrong place. */
    @Override
    public void refused(InetAddress host, String listener, String mechanism) {
        refusals.increment();
        String line =
                "login-refused host=" + host.getHostAddress() + " listener=" + listener + " mechanism=" + mechanism;
        write(line, line);
    }

    private void write(String kind, String line) {
        long times = times(kind);
        if (times > 0) {
            lines.accept(line + " times=" + times);
        }
    }

    private long times(String kind) {
        long now = nanoTime.getAsLong();
        Repeated known = repeated.get(kind);
        if (known == null) {
            boolean isFull = repeated.size() >= MOST_KINDS && !makesRoom(now);
            known = repeated.computeIfAbsent(isFull ? OTHERS : kind, unused -> new Repeated());
        }
        return known.comes(now);
    }

    /** Forgets what did not come lately; at most once in {@link #EVERY_SECONDS}. */
    private synchronized boolean makesRoom(long now) {
        if (now - sweptAt < TimeUnit.SECONDS.toNanos(EVERY_SECONDS)) {
            return false;
        }
        sweptAt = now;
        repeated.values().removeIf(each -> each.isQuiet(now));
        return repeated.size() < MOST_KINDS;
    }

    private static String who(Requester who) {
        return "principal=" + printable(who.principal().toString()) + " host="
                + who.host().getHostAddress();
    }

    private static String what(Action action) {
        return "operation=" + action.operation() + " resource=" + action.type() + ":" + printable(action.name());
    }

    /** Names come from clients and could forge lines. */
    private static String printable(String text) {
        return readable(text).replace(' ', '?');
    }

    private static String readable(String text) {
        String shortened = text.length() > MOST_CHARACTERS ? text.substring(0, MOST_CHARACTERS) + "..." : text;
        return shortened.replaceAll("[^\\x20-\\x7e]", "?");
    }

    @Override
    public List<StatusTable> tables() {
        return List.of(STATUS.row(changes.sum(), denials.sum(), logins.sum(), refusals.sum(), (long) repeated.size()));
    }
}
