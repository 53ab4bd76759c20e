package io.felice.security;

import io.felice.api.FeliceException;
import io.felice.api.Subscription;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.security.Acl;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization;
import io.felice.api.security.Authorizer;
import io.felice.api.security.Decision;
import io.felice.api.security.Operation;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.api.security.ResourceType;
import io.felice.api.status.HealthSource;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.Trouble;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.osgi.service.component.ComponentServiceObjects;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers by the ACLs of the cluster, or as the authorizer of a plugin says. */
@Component(configurationPid = "io.felice.security")
@Designate(ocd = SecuritySettings.class)
public final class AuthorizationService implements Authorization, StatusSource, HealthSource {
    static final String ACL = "acl";

    private static final Logger log = LoggerFactory.getLogger(AuthorizationService.class);

    static final String NONE = "none";

    private final Audit audit;
    private final ScheduledExecutorService timer;
    private final PluginAuthorization plugins;
    private final Subscription subscription;
    private volatile Rules rules;
    private final ClusterMetadata metadata;
    private volatile Compiled compiled = new Compiled(Set.of(), Acls.NONE);

    private record Compiled(Set<Acl> source, Acls acls) {}

    /**
     * The settings, parsed.
     *
     * @param mistakes sentences about settings that do not apply
     */
    private record Rules(
            SecuritySettings settings,
            String authorizer,
            Set<Principal> superUsers,
            boolean openIfNoAcl,
            List<String> mistakes) {
        static Rules of(SecuritySettings settings) {
            Set<Principal> superUsers = new HashSet<>();
            List<String> mistakes = new ArrayList<>();
            for (String text : settings.super_users().split(";")) {
                try {
                    if (!text.isBlank()) {
                        superUsers.add(Principal.parse(text.trim()));
                    }
                } catch (FeliceException noPrincipal) {
                    mistakes.add("A super user has no rights: super.users: " + noPrincipal.getMessage());
                }
            }
            mistakes.forEach(log::error);
            return new Rules(
                    settings,
                    settings.authorizer().trim(),
                    Set.copyOf(superUsers),
                    settings.allow_everyone_if_no_acl_found(),
                    List.copyOf(mistakes));
        }

        /** These rules with the authorizer of others. */
        Rules enforcedBy(Rules others) {
            String sentence = "authorizer is none, but " + others.authorizer()
                    + " decides until this node is restarted; then everybody may do everything";
            log.warn(sentence);
            List<String> all = new ArrayList<>(mistakes);
            all.add(sentence);
            return new Rules(settings, others.authorizer(), superUsers, openIfNoAcl, List.copyOf(all));
        }

        boolean isEnforced() {
            return !authorizer.equals(NONE);
        }

        boolean isAcl() {
            return authorizer.equals(ACL);
        }

        boolean isPlugin() {
            return isEnforced() && !isAcl();
        }

        boolean allowsEverything(Requester requester) {
            return !isEnforced() || superUsers.contains(requester.principal());
        }
    }

    @Activate
    public AuthorizationService(
            @Reference ClusterMetadata metadata, @Reference Audit audit, SecuritySettings settings) {
        this(metadata, audit, settings, SecurityTimer.started(), System::nanoTime);
    }

    AuthorizationService(
            ClusterMetadata metadata,
            Audit audit,
            SecuritySettings settings,
            ScheduledExecutorService timer,
            LongSupplier nanos) {
        this.audit = audit;
        this.timer = timer;
        this.plugins = new PluginAuthorization(timer, nanos);
        this.rules = Rules.of(settings);
        this.metadata = metadata;
        this.subscription = metadata.listen(view -> acls());
    }

    /**
     * A node that asks for rights does so until it is restarted: a file that is being written or has gone says {@code
     * none} too, and would let everybody do everything.
     */
    @Modified
    void modified(SecuritySettings settings) {
        Rules before = rules;
        Rules now = Rules.of(settings);
        rules = before.isEnforced() && !now.isEnforced() ? now.enforcedBy(before) : now;
    }

    @Deactivate
    public void close() {
        subscription.close();
        plugins.close();
        timer.shutdownNow();
    }

    @Reference(
            service = Authorizer.class,
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    public void bindAuthorizer(ComponentServiceObjects<Authorizer> authorizer, Map<String, Object> properties) {
        plugins.add(authorizer, properties);
    }

    public void unbindAuthorizer(ComponentServiceObjects<Authorizer> authorizer) {
        plugins.remove(authorizer);
    }

    /** The ACLs of the newest view: whoever was told that an ACL is there gets decisions by it. */
    private Acls acls() {
        Compiled last = compiled;
        return last.source() == metadata.view().security().acls() ? last.acls() : compile();
    }

    private synchronized Acls compile() {
        Set<Acl> now = metadata.view().security().acls();
        if (compiled.source() != now) {
            compiled = new Compiled(now, new Acls(now));
        }
        return compiled.acls();
    }

    @Override
    public boolean isEnforced() {
        return rules.isEnforced();
    }

    @Override
    public CompletionStage<Allowed> ask(Requester requester, Collection<Action> actions) {
        Rules inForce = rules;
        if (inForce.allowsEverything(requester)) {
            return CompletableFuture.completedFuture(new Noted(requester, action -> true));
        } else if (inForce.isPlugin()) {
            return plugins.ask(inForce.authorizer(), inForce.settings(), requester, actions)
                    .thenApply(allowed -> new Noted(requester, allowed::contains));
        }
        Acls now = acls();
        Set<Action> allowed = actions.stream()
                .filter(action -> isAllowed(inForce, now, requester, action))
                .collect(Collectors.toUnmodifiableSet());
        return CompletableFuture.completedFuture(new Noted(requester, allowed::contains));
    }

    /** Writes to the audit log what is decided by it. What is only asked is not written. */
    private final class Noted implements Allowed {
        private final Requester requester;
        private final Predicate<Action> allowed;

        Noted(Requester requester, Predicate<Action> allowed) {
            this.requester = requester;
            this.allowed = allowed;
        }

        @Override
        public boolean has(Action action) {
            return allowed.test(action);
        }

        @Override
        public boolean permits(Action... alternatives) {
            for (Action action : alternatives) {
                if (has(action)) {
                    audit.allowed(requester, action);
                    return true;
                }
            }
            audit.denied(requester, alternatives[alternatives.length - 1]);
            return false;
        }
    }

    private static boolean isAllowed(Rules rules, Acls acls, Requester requester, Action action) {
        return switch (acls.decide(requester, action.operation(), action.type(), action.name())) {
            case ALLOW -> true;
            case DENY -> false;
            case NO_OPINION -> rules.openIfNoAcl() && !acls.areAbout(action.type(), action.name());
        };
    }

    @Override
    public CompletionStage<Boolean> askAny(Requester requester, Operation operation, ResourceType type) {
        Rules inForce = rules;
        if (inForce.isPlugin() && !inForce.allowsEverything(requester)) {
            return plugins.askAny(inForce.authorizer(), inForce.settings(), requester, operation, type);
        }
        Acls now = acls();
        boolean allowed = inForce.allowsEverything(requester)
                || now.allowSome(requester, operation, type)
                || (inForce.openIfNoAcl() && now.decide(requester, operation, type, "") != Decision.DENY);
        return CompletableFuture.completedFuture(allowed);
    }

    @Override
    public List<StatusTable> tables() {
        return List.of(plugins.table("security.authorizers"));
    }

    @Override
    public List<Trouble> troubles() {
        Rules inForce = rules;
        List<Trouble> troubles =
                new ArrayList<>(inForce.isPlugin() ? plugins.troubles(inForce.authorizer()) : List.of());
        inForce.mistakes().forEach(mistake -> troubles.add(Trouble.inPart(mistake)));
        return troubles;
    }
}
