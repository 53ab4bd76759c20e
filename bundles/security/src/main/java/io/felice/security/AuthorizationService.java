package io.felice.security;

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
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;
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

/** Answers by the ACLs of the cluster, or as the authorizer of a plugin says. */
@Component(configurationPid = "io.felice.security")
@Designate(ocd = SecuritySettings.class)
public final class AuthorizationService implements Authorization, StatusSource, HealthSource {
    static final String ACL = "acl";

    private static final String NONE = "none";

    private final Audit audit;
    private final ScheduledExecutorService timer;
    private final PluginAuthorization plugins;
    private final Subscription subscription;
    private volatile Rules rules;
    private final ClusterMetadata metadata;
    private volatile Compiled compiled = new Compiled(Set.of(), Acls.NONE);

    private record Compiled(Set<Acl> source, Acls acls) {}

    /** The settings, parsed. */
    private record Rules(SecuritySettings settings, String authorizer, Set<Principal> superUsers, boolean openIfNoAcl) {
        static Rules of(SecuritySettings settings) {
            return new Rules(
                    settings,
                    settings.authorizer().trim(),
                    Arrays.stream(settings.super_users().split(";"))
                            .map(String::trim)
                            .filter(text -> !text.isEmpty())
                            .map(Principal::parse)
                            .collect(Collectors.toUnmodifiableSet()),
                    settings.allow_everyone_if_no_acl_found());
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

    @Modified
    void modified(SecuritySettings settings) {
        rules = Rules.of(settings);
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
            actions.forEach(action -> audit.allowed(requester, action));
            return CompletableFuture.completedFuture(Allowed.EVERYTHING);
        } else if (inForce.isPlugin()) {
            return plugins.ask(inForce.authorizer(), inForce.settings(), requester, actions)
                    .thenApply(allowed -> noted(requester, actions, allowed));
        }
        Acls now = acls();
        Set<Action> allowed = actions.stream()
                .filter(action -> isAllowed(inForce, now, requester, action))
                .collect(Collectors.toUnmodifiableSet());
        return CompletableFuture.completedFuture(noted(requester, actions, allowed));
    }

    private Allowed noted(Requester requester, Collection<Action> actions, Set<Action> allowed) {
        for (Action action : actions) {
            if (allowed.contains(action)) {
                audit.allowed(requester, action);
            } else {
                audit.denied(requester, action);
            }
        }
        return allowed::contains;
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
        return List.of(new StatusTable("security.authorizers", Plugins.COLUMNS, plugins.rows()));
    }

    @Override
    public List<Trouble> troubles() {
        Rules inForce = rules;
        return inForce.isPlugin() ? plugins.troubles(inForce.authorizer()) : List.of();
    }
}
