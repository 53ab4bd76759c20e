package io.felice.security;

import static io.felice.api.ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
import static io.felice.api.ErrorCode.INVALID_REQUEST;
import static io.felice.api.ErrorCode.RESOURCE_NOT_FOUND;
import static io.felice.api.ErrorCode.THROTTLING_QUOTA_EXCEEDED;
import static io.felice.api.ErrorCode.UNACCEPTABLE_CREDENTIAL;

import io.felice.api.FeliceException;
import io.felice.api.Subscription;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.Admin.UserMechanism;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.security.Acl;
import io.felice.api.security.Operation;
import io.felice.api.security.Principal;
import io.felice.api.security.ResourceType;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import io.felice.api.security.Users;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Changes the users through the controller, and makes the first administrator. */
@Component(configurationPid = "io.felice.security", immediate = true)
public final class ClusterUsers implements Users {
    static final int WRONG_CODE_DELAY_MS = 1_000;

    private static final Set<String> OWN_AUTHORIZERS = Set.of(AuthorizationService.ACL, AuthorizationService.NONE);

    private static final Logger log = LoggerFactory.getLogger(ClusterUsers.class);

    private final ClusterMetadata metadata;
    private final Admin admin;
    private final ScheduledExecutorService timer;
    private final Consumer<String> codes;
    private final SecureRandom random = new SecureRandom();
    private final SetupCode code = new SetupCode(random);
    private final AtomicBoolean isShown = new AtomicBoolean();
    private final AtomicBoolean isBusy = new AtomicBoolean();
    private final Subscription subscription;
    private volatile SecuritySettings settings;

    @Activate
    public ClusterUsers(@Reference ClusterMetadata metadata, @Reference Admin admin, SecuritySettings settings) {
        this(metadata, admin, settings, SecurityTimer.started(), ClusterUsers::logCode);
    }

    /** @param codes gets the setup code for people to read, once */
    ClusterUsers(
            ClusterMetadata metadata,
            Admin admin,
            SecuritySettings settings,
            ScheduledExecutorService timer,
            Consumer<String> codes) {
        this.codes = codes;
        this.metadata = metadata;
        this.admin = admin;
        this.settings = settings;
        this.timer = timer;
        this.subscription = metadata.listen(view -> showCode());
    }

    @Modified
    void modified(SecuritySettings changed) {
        settings = changed;
        showCode();
    }

    @Deactivate
    public void close() {
        subscription.close();
        timer.shutdownNow();
    }

    // ---- users

    @Override
    public List<User> list() {
        return new TreeMap<>(metadata.view().security().users())
                .entrySet().stream()
                        .map(user -> new User(
                                user.getKey(),
                                user.getValue().entrySet().stream()
                                        .collect(
                                                Collectors.toUnmodifiableMap(Map.Entry::getKey, credential -> credential
                                                        .getValue()
                                                        .iterations()))))
                        .toList();
    }

    @Override
    public CompletionStage<Void> setPassword(String user, byte[] password) {
        try {
            return change(credentials(user, password));
        } catch (FeliceException refused) {
            return CompletableFuture.failedFuture(refused);
        }
    }

    private Map<UserMechanism, Optional<ScramCredential>> credentials(String user, byte[] password) {
        try {
            if (password.length == 0 || password.length > MOST_PASSWORD_BYTES) {
                throw UNACCEPTABLE_CREDENTIAL.because("A password has 1 to " + MOST_PASSWORD_BYTES + " bytes");
            }
            for (byte each : password) {
                if (each == 0) {
                    throw UNACCEPTABLE_CREDENTIAL.because("A password has no NUL");
                }
            }
            Map<UserMechanism, Optional<ScramCredential>> credentials = new HashMap<>();
            for (ScramMechanism mechanism : ScramMechanism.values()) {
                credentials.put(
                        new UserMechanism(user, mechanism),
                        Optional.of(ScramKeys.credential(
                                mechanism, password, ScramKeys.randomSalt(random), ScramKeys.ITERATIONS)));
            }
            return credentials;
        } finally {
            Arrays.fill(password, (byte) 0);
        }
    }

    @Override
    public CompletionStage<Void> delete(String user) {
        Map<UserMechanism, Optional<ScramCredential>> removals =
                metadata.view().security().users().getOrDefault(user, Map.of()).keySet().stream()
                        .collect(Collectors.toMap(
                                mechanism -> new UserMechanism(user, mechanism), mechanism -> Optional.empty()));
        return removals.isEmpty()
                ? CompletableFuture.failedFuture(RESOURCE_NOT_FOUND.because("There is no user " + user))
                : change(removals);
    }

    private CompletionStage<Void> change(Map<UserMechanism, Optional<ScramCredential>> changes) {
        return made(admin.alterUsers(changes));
    }

    /** Completes when this node sees the change; fails if an item of it has failed. */
    private <K, V> CompletionStage<Void> made(CompletionStage<Decided<K, V>> decision) {
        return metadata.visible(decision).thenAccept(decided -> decided.outcomes().values().stream()
                .filter(outcome -> outcome.isFailed())
                .findFirst()
                .ifPresent(outcome -> {
                    throw outcome.error().because(outcome.message());
                }));
    }

    // ---- the first administrator

    private void showCode() {
        if (settings.authorizer().equals(AuthorizationService.ACL)
                && hasSetupCode()
                && isShown.compareAndSet(false, true)) {
            codes.accept(code.text());
        }
    }

    private static void logCode(String code) {
        log.info(
                "The cluster has no users and no ACLs, so nobody may do anything. To make the first administrator:"
                        + " felice:user-setup {} USER",
                code);
    }

    @Override
    public boolean hasSetupCode() {
        SecuritySettings now = settings;
        return OWN_AUTHORIZERS.contains(now.authorizer())
                && now.credential_store().equals(FeliceCredentialStore.STORE)
                && !code.isExhausted()
                && isWithoutAdministrator(metadata.view());
    }

    @Override
    public Optional<String> setupCode() {
        return hasSetupCode() ? Optional.of(code.text()) : Optional.empty();
    }

    /** False also before this node has read the metadata log. ACLs that a failed setup has left do not count. */
    private boolean isWithoutAdministrator(ClusterView view) {
        Set<Acl> acls = view.security().acls();
        return view.broker(metadata.brokerId()).isPresent()
                && view.security().users().isEmpty()
                && acls.stream()
                        .findFirst()
                        .map(acl -> acls.equals(Set.copyOf(administratorAcls(acl.principal()))))
                        .orElse(true);
    }

    private static List<Acl> administratorAcls(String principal) {
        return Arrays.stream(ResourceType.values())
                .map(type -> new Acl(
                        type,
                        type == ResourceType.CLUSTER ? ResourceType.CLUSTER_NAME : Acl.ANY,
                        Acl.Pattern.LITERAL,
                        principal,
                        Acl.ANY,
                        Operation.ALL,
                        true))
                .toList();
    }

    @Override
    public CompletionStage<Void> redeem(String guess, String user, byte[] password) {
        try {
            if (!hasSetupCode()) {
                return refused(INVALID_REQUEST.because("There is no setup code: the cluster has users or ACLs, or"
                        + " a plugin decides what clients may do, or too many wrong codes were tried"));
            } else if (!isBusy.compareAndSet(false, true)) {
                return refused(THROTTLING_QUOTA_EXCEEDED.because("Another setup code is being checked; try again"));
            } else if (!code.is(guess)) {
                return wrongCode();
            }
            return administrator(user, password).whenComplete((made, failed) -> isBusy.set(false));
        } finally {
            Arrays.fill(password, (byte) 0);
        }
    }

    private static CompletionStage<Void> refused(FeliceException why) {
        return CompletableFuture.failedFuture(why);
    }

    private CompletionStage<Void> wrongCode() {
        log.warn("Somebody has tried a wrong setup code");
        CompletableFuture<Void> answer = new CompletableFuture<>();
        Runnable refusal = () -> {
            isBusy.set(false);
            answer.completeExceptionally(CLUSTER_AUTHORIZATION_FAILED.because("This is not the setup code"));
        };
        try {
            timer.schedule(refusal, WRONG_CODE_DELAY_MS, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException stopped) {
            refusal.run();
        }
        return answer;
    }

    /** First the ACLs, then the user: while there is no user, the code stays valid. */
    private CompletionStage<Void> administrator(String user, byte[] password) {
        try {
            Map<UserMechanism, Optional<ScramCredential>> credentials = credentials(user, password);
            return made(admin.createAcls(administratorAcls(Principal.user(user).toString())))
                    .thenCompose(done -> change(credentials))
                    .thenRun(() -> log.info("User {} is the first administrator of the cluster", user));
        } catch (RuntimeException unacceptable) {
            return CompletableFuture.failedFuture(unacceptable);
        }
    }
}
