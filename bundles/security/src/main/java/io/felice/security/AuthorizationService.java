package io.felice.security;

import io.felice.api.Subscription;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.security.Acl;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization;
import io.felice.api.security.Decision;
import io.felice.api.security.Operation;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.api.security.ResourceType;
import java.util.Arrays;
import java.util.Collection;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;

/** Answers by the ACLs of the cluster. */
@Component(configurationPid = "io.felice.security")
@Designate(ocd = SecuritySettings.class)
public final class AuthorizationService implements Authorization {
    private static final String NONE = "none";

    private final Subscription subscription;
    private volatile Rules rules;
    private volatile Set<Acl> compiled = Set.of();
    private volatile Acls acls = Acls.NONE;

    /** The settings, parsed. */
    private record Rules(boolean enforced, Set<Principal> superUsers, boolean openIfNoAcl) {
        static Rules of(SecuritySettings settings) {
            return new Rules(
                    !settings.authorizer().equals(NONE),
                    Arrays.stream(settings.super_users().split(";"))
                            .map(String::trim)
                            .filter(text -> !text.isEmpty())
                            .map(Principal::parse)
                            .collect(Collectors.toUnmodifiableSet()),
                    settings.allow_everyone_if_no_acl_found());
        }
    }

    @Activate
    public AuthorizationService(@Reference ClusterMetadata metadata, SecuritySettings settings) {
        this.rules = Rules.of(settings);
        this.subscription = metadata.listen(this::changed);
    }

    @Modified
    void modified(SecuritySettings settings) {
        rules = Rules.of(settings);
    }

    @Deactivate
    public void close() {
        subscription.close();
    }

    private void changed(ClusterView view) {
        Set<Acl> now = view.security().acls();
        if (now != compiled) {
            acls = new Acls(now);
            compiled = now;
        }
    }

    @Override
    public boolean isEnforced() {
        return rules.enforced();
    }

    @Override
    public CompletionStage<Allowed> ask(Requester requester, Collection<Action> actions) {
        Rules inForce = rules;
        if (!inForce.enforced() || inForce.superUsers().contains(requester.principal())) {
            return CompletableFuture.completedFuture(Allowed.EVERYTHING);
        }
        Acls now = acls;
        Set<Action> allowed = actions.stream()
                .filter(action -> isAllowed(inForce, now, requester, action))
                .collect(Collectors.toUnmodifiableSet());
        return CompletableFuture.completedFuture(allowed::contains);
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
        boolean allowed = !inForce.enforced()
                || inForce.superUsers().contains(requester.principal())
                || acls.allowSome(requester, operation, type)
                || (inForce.openIfNoAcl() && acls.decide(requester, operation, type, "") != Decision.DENY);
        return CompletableFuture.completedFuture(allowed);
    }
}
