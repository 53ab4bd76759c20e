package io.felice.security;

import io.felice.api.Subscription;
import io.felice.api.cluster.ClusterMetadata;
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
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Answers by the ACLs of the cluster. */
@Component(configurationPid = "io.felice.security")
@Designate(ocd = AuthorizationService.Config.class)
public final class AuthorizationService implements Authorization {
    @ObjectClassDefinition(name = "Felice: security", description = "Who clients are and what they may do.")
    public @interface Config {
        @AttributeDefinition(
                description =
                        "Who decides what clients may do: acl for the ACLs of the cluster, none for no rights at all,"
                                + " so that everybody may do everything.")
        String authorizer() default "none";

        @AttributeDefinition(
                description = "Principals that may do everything, separated by semicolons: User:admin;User:ops.")
        String super_users() default "";

        @AttributeDefinition(
                description = "Whether everybody may do everything with a resource that no ACL is about. Off is safe.")
        boolean allow_everyone_if_no_acl_found() default false;
    }

    private static final String NONE = "none";

    private final Subscription subscription;
    private volatile Rules rules;
    private final ClusterMetadata metadata;
    private volatile Compiled compiled = new Compiled(Set.of(), Acls.NONE);

    private record Compiled(Set<Acl> source, Acls acls) {}

    /** The settings, parsed. */
    private record Rules(boolean enforced, Set<Principal> superUsers, boolean openIfNoAcl) {
        static Rules of(Config config) {
            return new Rules(
                    !config.authorizer().equals(NONE),
                    Arrays.stream(config.super_users().split(";"))
                            .map(String::trim)
                            .filter(text -> !text.isEmpty())
                            .map(Principal::parse)
                            .collect(Collectors.toUnmodifiableSet()),
                    config.allow_everyone_if_no_acl_found());
        }
    }

    @Activate
    public AuthorizationService(@Reference ClusterMetadata metadata, Config config) {
        this.rules = Rules.of(config);
        this.metadata = metadata;
        this.subscription = metadata.listen(view -> acls());
    }

    @Modified
    void modified(Config config) {
        rules = Rules.of(config);
    }

    @Deactivate
    public void close() {
        subscription.close();
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
        return rules.enforced();
    }

    @Override
    public CompletionStage<Allowed> ask(Requester requester, Collection<Action> actions) {
        Rules inForce = rules;
        if (!inForce.enforced() || inForce.superUsers().contains(requester.principal())) {
            return CompletableFuture.completedFuture(Allowed.EVERYTHING);
        }
        Acls now = acls();
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
        Acls now = acls();
        boolean allowed = !inForce.enforced()
                || inForce.superUsers().contains(requester.principal())
                || now.allowSome(requester, operation, type)
                || (inForce.openIfNoAcl() && now.decide(requester, operation, type, "") != Decision.DENY);
        return CompletableFuture.completedFuture(allowed);
    }
}
