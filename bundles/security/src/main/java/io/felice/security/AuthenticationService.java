package io.felice.security;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.extension.Extension;
import io.felice.api.extension.Extensions;
import io.felice.api.security.Authentication;
import io.felice.api.security.Authenticator;
import io.felice.api.status.HealthSource;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;
import io.felice.api.status.Trouble;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.osgi.service.component.ComponentServiceObjects;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Leads clients through the mechanisms of the authenticators that are registered. */
@Component(configurationPid = "io.felice.security")
public final class AuthenticationService implements Authentication, StatusSource, HealthSource {
    private static final TableSchema LIMITS = TableSchema.limits("security.limits");
    private static final Logger log = LoggerFactory.getLogger(AuthenticationService.class);
    private static final int MOST_MISSING = 16;

    private final ScheduledExecutorService timer;
    private final Extensions<Authenticator> authenticators;
    private final FailedLogins failedLogins;
    private final Audit audit;
    /** Mechanisms that clients were offered while nobody served them. */
    private final Set<String> missing = ConcurrentHashMap.newKeySet();

    private volatile SecuritySettings settings;

    @Activate
    public AuthenticationService(@Reference Audit audit, SecuritySettings settings) {
        this(audit, settings, SecurityTimer.started(), System::nanoTime);
    }

    AuthenticationService(Audit audit, SecuritySettings settings, ScheduledExecutorService timer, LongSupplier nanos) {
        this.audit = audit;
        this.settings = settings;
        this.timer = timer;
        this.authenticators = new Extensions<>(
                "authenticator",
                Authenticator.MECHANISM,
                Extensions.sameBundleAs(AuthenticationService.class),
                timer,
                nanos);
        this.failedLogins = new FailedLogins(nanos);
    }

    @Modified
    void modified(SecuritySettings changed) {
        settings = changed;
    }

    @Deactivate
    public void close() {
        authenticators.close();
        timer.shutdownNow();
    }

    @Reference(
            service = Authenticator.class,
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    public void bindAuthenticator(
            ComponentServiceObjects<Authenticator> authenticator, Map<String, Object> properties) {
        authenticators.add(authenticator, properties);
        missing.removeAll(authenticators.names());
    }

    public void unbindAuthenticator(ComponentServiceObjects<Authenticator> authenticator) {
        authenticators.remove(authenticator);
    }

    @Override
    public Set<String> mechanisms() {
        return authenticators.names();
    }

    @Override
    public Login begin(String mechanism, Authenticator.Client client) {
        return authenticators
                .find(mechanism)
                .map(plugin -> new WatchedLogin(plugin, client))
                .orElseThrow(() -> {
                    noteMissing(mechanism);
                    return ErrorCode.UNSUPPORTED_SASL_MECHANISM.because(
                            "No authenticator for the mechanism " + mechanism + " is there now");
                });
    }

    private void noteMissing(String mechanism) {
        if (missing.size() < MOST_MISSING) {
            missing.add(mechanism);
        }
    }

    private final class WatchedLogin implements Login {
        private enum State {
            IDLE,
            /** A thread of the plugin is in a call. */
            BUSY,
            /** As BUSY; the conversation is closed when the call ends. */
            CLOSING,
            CLOSED
        }

        private final Extension<Authenticator> plugin;
        private final Authenticator.Client client;
        private final AtomicReference<State> state = new AtomicReference<>(State.IDLE);
        /** Only the thread that has made the state BUSY uses it. */
        private Authenticator.Conversation conversation;

        WatchedLogin(Extension<Authenticator> plugin, Authenticator.Client client) {
            this.plugin = plugin;
            this.client = client;
        }

        @Override
        public CompletionStage<Authenticator.Reply> respond(byte[] message) {
            CompletableFuture<Authenticator.Reply> answer = new CompletableFuture<>();
            plugin.calls()
                    .call("begin() or respond()", settings.plugin_timeout_ms(), () -> ask(message))
                    .whenComplete((reply, failure) -> {
                        if (failure == null) {
                            noteSuccess(reply);
                            answer.complete(reply);
                        } else {
                            close();
                            failLate(answer, refusal(failure));
                        }
                    });
            return answer;
        }

        private void noteSuccess(Authenticator.Reply reply) {
            if (reply instanceof Authenticator.Authenticated who) {
                audit.loggedIn(who.principal(), client.host(), client.listener(), plugin.name());
            }
        }

        private Authenticator.Reply ask(byte[] message) {
            if (!state.compareAndSet(State.IDLE, State.BUSY)) {
                throw ErrorCode.SASL_AUTHENTICATION_FAILED.because("The login has ended");
            }
            boolean goesOn = false;
            try {
                if (conversation == null) {
                    conversation = plugin.service().begin(client);
                }
                Authenticator.Reply reply = checked(conversation.respond(message));
                goesOn = reply instanceof Authenticator.Challenge;
                return reply;
            } finally {
                if (!goesOn || !state.compareAndSet(State.BUSY, State.IDLE)) {
                    state.set(State.CLOSED);
                    closeConversation();
                }
            }
        }

        private Authenticator.Reply checked(Authenticator.Reply reply) {
            if (reply == null || reply.message() == null) {
                throw new IllegalStateException("the reply or its message is null");
            }
            if (reply instanceof Authenticator.Authenticated who) {
                if (who.principal() == null || who.principal().name().isEmpty() || who.validUntil() == null) {
                    throw new IllegalStateException("the reply has no principal");
                }
                if (who.validUntil().filter(end -> !end.isAfter(Instant.now())).isPresent()) {
                    throw ErrorCode.SASL_AUTHENTICATION_FAILED.because("Authentication failed: what the client has"
                            + " shown is valid until " + who.validUntil().get());
                }
            }
            return reply;
        }

        @Override
        public void close() {
            if (state.compareAndSet(State.IDLE, State.CLOSED)) {
                plugin.calls().later(this::closeConversation);
            } else {
                state.compareAndSet(State.BUSY, State.CLOSING);
            }
        }

        private void closeConversation() {
            Authenticator.Conversation ended = conversation;
            conversation = null;
            if (ended != null) {
                try {
                    ended.close();
                } catch (Throwable thrown) {
                    log.warn("{} has failed to close a conversation", plugin.provider(), thrown);
                }
            }
        }

        private FeliceException refusal(Throwable failure) {
            if (failure instanceof FeliceException expected
                    && (expected.code() == ErrorCode.SASL_AUTHENTICATION_FAILED
                            || expected.code() == ErrorCode.REQUEST_TIMED_OUT)) {
                return expected;
            }
            return ErrorCode.SASL_AUTHENTICATION_FAILED.because(
                    "Authentication failed with SASL mechanism " + plugin.name());
        }

        private void failLate(CompletableFuture<?> answer, FeliceException refusal) {
            audit.refused(client.host(), client.listener(), plugin.name());
            int delayMs = failedLogins.delayMs(
                    client.host(), refusal.getMessage(), settings.connection_failed_authentication_delay_ms());
            try {
                timer.schedule(() -> answer.completeExceptionally(refusal), delayMs, TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException stopped) {
                answer.completeExceptionally(refusal);
            }
        }
    }

    @Override
    public List<StatusTable> tables() {
        return List.of(
                authenticators.table("security.authenticators"),
                failedLogins.table(),
                LIMITS.rows(List.of(
                        TableSchema.limit("addresses.of.failures", failedLogins.size(), FailedLogins.MOST_ADDRESSES))));
    }

    @Override
    public List<Trouble> troubles() {
        List<Trouble> troubles = new ArrayList<>(authenticators.troubles());
        missing.forEach(mechanism -> troubles.add(Trouble.inPart(
                "Clients cannot log in with " + mechanism + ": no authenticator for this mechanism is there")));
        return troubles;
    }
}
