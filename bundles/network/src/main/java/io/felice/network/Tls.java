package io.felice.network;

import io.felice.api.security.Principal;
import io.felice.api.security.PrincipalMapping;
import io.felice.api.status.StatusTable;
import io.felice.api.status.Trouble;
import java.nio.channels.SocketChannel;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the TLS connections of a server share: the certificates, and the threads for work that I/O threads do not do.
 * Any thread.
 */
final class Tls implements TlsTransport.HandshakeWork {
    private static final Logger log = LoggerFactory.getLogger(Tls.class);

    /** A connection has at most one task at a time, so that the limit of connections bounds this queue. */
    private static final int MOST_TASKS = Integer.MAX_VALUE;

    private static final int IDENTIFYING_THREADS = 4;
    private static final int MOST_IDENTIFYING = 1000;
    private static final long IDLE_SECONDS = 10;

    private final List<Listener> listeners;
    private final TlsContext context;
    private final PrincipalMappings mappings;
    private final CertificateLogins logins;
    private final Complaints complaints = new Complaints(log);
    private final ThreadPoolExecutor cryptography =
            pool("felice-network-tls-", Math.max(1, Runtime.getRuntime().availableProcessors() / 2), MOST_TASKS);
    private final ThreadPoolExecutor identifying =
            pool("felice-network-principals-", IDENTIFYING_THREADS, MOST_IDENTIFYING);

    Tls(NetworkSettings settings, PrincipalMappings mappings, CertificateLogins logins) {
        this.listeners = settings.listeners();
        this.context = new TlsContext(settings.tls(), Clock.systemUTC());
        this.mappings = mappings;
        this.logins = logins;
    }

    private static ThreadPoolExecutor pool(String name, int threads, int mostWaiting) {
        AtomicInteger number = new AtomicInteger();
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                threads, threads, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(mostWaiting), task -> {
                    Thread thread = new Thread(task, name + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    private boolean isUsed() {
        return listeners.stream().anyMatch(Listener::isEncrypted);
    }

    /** Reads changed files with keys and certificates. One thread calls this method and {@link #change}. */
    void check() {
        if (isUsed()) {
            context.check();
        }
    }

    void change(TlsSettings to) {
        if (isUsed()) {
            context.change(to);
        }
    }

    /** False for a listener that uses TLS, while the files cannot be used. */
    boolean admits(Listener listener) {
        return !listener.isEncrypted() || context.isUsable();
    }

    /** Why clients cannot connect as they should. */
    List<Trouble> troubles() {
        return context.trouble().map(this::trouble).stream().toList();
    }

    private Trouble trouble(String reason) {
        if (context.isUsable()) {
            return Trouble.inPart("New TLS connections get an old certificate. " + reason);
        }
        return listeners.stream().allMatch(Listener::isEncrypted)
                ? Trouble.ofNode("No listener is open. " + reason)
                : Trouble.inPart("The listeners that use TLS are not open. " + reason);
    }

    List<StatusTable> tables() {
        return isUsed() ? List.of(context.table()) : List.of();
    }

    TlsTransport transport(SocketChannel socket, Listener listener, TlsBuffers buffers, ListenerCounters counters) {
        return new TlsTransport(
                socket,
                context.engine(listener.asksForCertificates()),
                buffers,
                this,
                counters,
                context.settings().handshake().toNanos());
    }

    @Override
    public Executor cryptography() {
        return cryptography;
    }

    @Override
    public void identify(
            Identity client, List<X509Certificate> chain, Consumer<Principal> known, Consumer<TlsFailure> refused) {
        try {
            identifying.execute(() -> {
                try {
                    Principal principal = principalOf(chain);
                    logins.known(client, principal);
                    known.accept(principal);
                } catch (TlsFailure failure) {
                    logins.refused(client);
                    refused.accept(failure);
                }
            });
        } catch (RejectedExecutionException full) {
            refused.accept(new TlsFailure("too many clients wait for the principal mapping"));
        }
    }

    private Principal principalOf(List<X509Certificate> chain) throws TlsFailure {
        String name = context.settings().mapping();
        try {
            Principal principal =
                    name.isEmpty() ? byRules(chain.get(0)) : named(name).principalOf(chain);
            if (principal == null) {
                throw new TlsFailure("the principal mapping " + name + " gives it no principal");
            }
            return principal;
        } catch (RuntimeException | LinkageError refusal) {
            complaints.error("The principal mapping " + name + " refuses a certificate", refusal);
            throw new TlsFailure("the principal mapping " + name + " refuses its certificate", refusal);
        }
    }

    private PrincipalMapping named(String name) throws TlsFailure {
        Optional<PrincipalMapping> mapping = mappings.named(name);
        return mapping.orElseThrow(() -> new TlsFailure("ssl.principal.mapping is " + name
                + ", and there is no such service: clients with certificates are refused"));
    }

    private Principal byRules(X509Certificate certificate) throws TlsFailure {
        String subject = certificate.getSubjectX500Principal().getName();
        return context.rules()
                .nameOf(subject)
                .filter(name -> !name.isEmpty())
                .map(Principal::user)
                .orElseThrow(() -> new TlsFailure("no rule of ssl.principal.mapping.rules makes a user of its subject "
                        + TlsSentences.printable(subject)));
    }

    /** Ends the threads when they have no more work; does not wait for a mapping that hangs. */
    void stop() {
        identifying.getQueue().clear();
        identifying.shutdown();
        cryptography.shutdown();
    }
}
