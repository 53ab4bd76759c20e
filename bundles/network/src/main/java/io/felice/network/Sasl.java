package io.felice.network;

import io.felice.api.ErrorCode;
import io.felice.api.security.Authentication;
import io.felice.api.security.Authenticator;
import io.felice.api.security.Principal;
import io.felice.protocol.Apis;
import io.felice.protocol.SaslSession;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The login of a connection's client. Handlers change it on any thread, while the connection begins no request; when
 * their request is answered, the I/O thread takes the outcome over ({@link #after}, {@link #principal}).
 */
final class Sasl implements SaslSession {
    /** How long after a login to extend the session the client may begin the next (KIP-368). */
    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** The longest session of a client whose credential is valid for longer. */
    private static final Duration LONGEST_SESSION = Duration.ofDays(365);

    private final Authenticator.Client client;
    private final Supplier<SaslSettings> settings;
    private final ListenerCounters counters;
    private final LongSupplier nanos;
    private final InstantSource clock;

    private Authentication.Login login;
    private String mechanism;
    private boolean raw;
    /** The id of the service that had the last request of the login that goes on. I/O thread only. */
    private long servedBy;

    private Principal principal;
    private String principalMechanism;
    private boolean ends;
    private long endsAt;
    private boolean hasExtended;
    private long extendedAt;
    private boolean refused;
    private boolean closed;

    /** @param nanos the clock of the session's end, in nanoseconds, as {@link System#nanoTime} */
    Sasl(
            Authenticator.Client client,
            Supplier<SaslSettings> settings,
            ListenerCounters counters,
            LongSupplier nanos,
            InstantSource clock) {
        this.client = client;
        this.settings = settings;
        this.counters = counters;
        this.nanos = nanos;
        this.clock = clock;
        counters.unauthenticated.incrementAndGet();
    }

    /** True for the APIs of logins. */
    static boolean isLogin(short key) {
        return key == Apis.SASL_HANDSHAKE || key == Apis.SASL_AUTHENTICATE;
    }

    // ---- called by handlers, on any thread ----

    @Override
    public List<String> mechanisms() {
        return settings.get().mechanismsOf(client.listener());
    }

    @Override
    public Authenticator.Client client() {
        return client;
    }

    @Override
    public synchronized boolean mayBegin() {
        if (refused || closed || login != null) {
            return false;
        }
        return principal == null || ends && (!hasExtended || nanos.getAsLong() - extendedAt >= PAUSE_NANOS);
    }

    @Override
    public synchronized boolean isLoggedIn() {
        return principal != null && login == null;
    }

    @Override
    public void begun(String with, Authentication.Login begun, boolean isRaw) {
        Authentication.Login over;
        synchronized (this) {
            over = closed || refused ? begun : login;
            if (over != begun) {
                login = begun;
                mechanism = with;
                raw = isRaw;
            }
            if (principal != null) {
                hasExtended = true;
                extendedAt = nanos.getAsLong();
            }
        }
        end(over);
    }

    @Override
    public synchronized Optional<Authentication.Login> login() {
        return Optional.ofNullable(login);
    }

    @Override
    public long succeeded(Authenticator.Authenticated as) {
        Authentication.Login over;
        long lifetimeMs;
        synchronized (this) {
            requireUnchanged(as.principal());
            lifetimeMs = lifetimeMs(as.validUntil());
            if (principal == null) {
                counters.unauthenticated.decrementAndGet();
            }
            principal = as.principal();
            principalMechanism = mechanism;
            ends = lifetimeMs > 0;
            endsAt = nanos.getAsLong() + TimeUnit.MILLISECONDS.toNanos(lifetimeMs);
            over = takeLogin();
        }
        counters.logins.incrementAndGet();
        end(over);
        return lifetimeMs;
    }

    private void requireUnchanged(Principal now) {
        if (login == null) {
            throw ErrorCode.SASL_AUTHENTICATION_FAILED.because("The login has ended");
        }
        if (principal != null && !principal.equals(now)) {
            throw ErrorCode.SASL_AUTHENTICATION_FAILED.because(
                    "The client is logged in as another principal; to change it, it has to connect again");
        }
        if (principal != null && !principalMechanism.equals(mechanism)) {
            throw ErrorCode.SASL_AUTHENTICATION_FAILED.because("The client has logged in with " + principalMechanism
                    + "; to use " + mechanism + ", it has to connect again");
        }
    }

    private long lifetimeMs(Optional<Instant> validUntil) {
        long most = settings.get().reauthentication().toMillis();
        if (validUntil.isEmpty()) {
            return most;
        }
        Instant now = clock.instant();
        Instant end = validUntil.get();
        if (!end.isAfter(now)) {
            throw ErrorCode.SASL_AUTHENTICATION_FAILED.because("What the client has shown has expired");
        }
        long left = end.isAfter(now.plus(LONGEST_SESSION))
                ? LONGEST_SESSION.toMillis()
                : Math.max(1, Duration.between(now, end).toMillis());
        return most > 0 ? Math.min(most, left) : left;
    }

    @Override
    public void failed() {
        Authentication.Login over;
        synchronized (this) {
            if (!refused) {
                counters.refusedLogins.incrementAndGet();
            }
            refused = true;
            over = takeLogin();
        }
        end(over);
    }

    // ---- called by the connection, on its I/O thread ----

    /** The phase after a request of a login was answered in this phase. */
    synchronized Phase after(Phase phase) {
        if (refused) {
            return phase.drain();
        }
        if (login != null) {
            return phase.raw(raw);
        }
        return principal == null ? phase : ends ? phase.loggedInUntil(endsAt) : phase.loggedIn();
    }

    synchronized Optional<Principal> principal() {
        return Optional.ofNullable(principal);
    }

    /** A request of a login is passed to the handler with this registration. */
    void servedBy(long serviceId) {
        servedBy = serviceId;
    }

    /** True if a login goes on that needs the handler with this registration. */
    synchronized boolean needs(long serviceId) {
        return login != null && servedBy == serviceId;
    }

    /** The connection is closed. */
    void close() {
        Authentication.Login over;
        synchronized (this) {
            if (principal == null && !closed) {
                counters.unauthenticated.decrementAndGet();
            }
            closed = true;
            over = takeLogin();
        }
        end(over);
    }

    private Authentication.Login takeLogin() {
        Authentication.Login taken = login;
        login = null;
        raw = false;
        return taken;
    }

    /** Without the monitor, because the login belongs to another component. */
    private static void end(Authentication.Login over) {
        if (over != null) {
            over.close();
        }
    }
}
