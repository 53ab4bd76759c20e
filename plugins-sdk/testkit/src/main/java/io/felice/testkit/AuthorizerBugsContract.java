package io.felice.testkit;

import io.felice.api.security.Action;
import io.felice.api.security.Authorizer;
import io.felice.api.security.Decision;
import io.felice.api.security.Operation;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.api.security.ResourceType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;

/** Shows that {@link AuthorizerContract} catches wrong authorizers. A subclass makes the contract of one that knows denials. */
public abstract class AuthorizerBugsContract extends PluginBugsContract<Authorizer, AuthorizerContract> {
    private static final int LEAST_BUGS = 14;

    protected AuthorizerBugsContract() {
        super(AuthorizerContract.class, LEAST_BUGS);
    }

    private static PluginBug<Authorizer> ofDecisions(
            String name, String caughtBy, UnaryOperator<List<Decision>> mistake) {
        return new PluginBug<>(
                name,
                caughtBy,
                good -> (requester, actions) ->
                        good.authorize(requester, actions).thenApply(all -> mistake.apply(new ArrayList<>(all))));
    }

    private static PluginBug<Authorizer> ofActions(String name, String caughtBy, UnaryOperator<Action> mistake) {
        return new PluginBug<>(
                name,
                caughtBy,
                good -> (requester, actions) ->
                        good.authorize(requester, actions.stream().map(mistake).toList()));
    }

    private static PluginBug<Authorizer> ofRequesters(String name, String caughtBy, UnaryOperator<Principal> mistake) {
        return new PluginBug<>(
                name,
                caughtBy,
                good -> (requester, actions) ->
                        good.authorize(new Requester(mistake.apply(requester.principal()), requester.host()), actions));
    }

    private static Action named(Action action, String name) {
        return new Action(action.operation(), action.type(), name);
    }

    private static Decision replaced(Decision decision, Decision from) {
        return decision == from ? Decision.ALLOW : decision;
    }

    @Override
    List<PluginBug<Authorizer>> bugs() {
        List<PluginBug<Authorizer>> bugs = new ArrayList<>(ofComparing());
        bugs.addAll(ofDeciding());
        bugs.addAll(ofState());
        return bugs;
    }

    private static List<PluginBug<Authorizer>> ofComparing() {
        return List.of(
                ofActions(
                        "compares resources by prefix",
                        "namesOfResourcesAreComparedExactly",
                        action -> action.name().startsWith("orders") ? named(action, "orders") : action),
                ofActions(
                        "a right is for what its name begins with",
                        "namesOfResourcesAreComparedExactly",
                        action -> "orders".startsWith(action.name()) ? named(action, "orders") : action),
                ofActions(
                        "ignores the case of resources",
                        "namesOfResourcesAreComparedExactly",
                        action -> named(action, action.name().toLowerCase(Locale.ROOT))),
                ofActions(
                        "ignores the operation",
                        "anotherOperationIsNotAllowed",
                        action -> new Action(Operation.READ, action.type(), action.name())),
                ofActions(
                        "ignores the type of the resource",
                        "anotherTypeOfResourceIsNotAllowed",
                        action -> new Action(action.operation(), ResourceType.TOPIC, action.name())),
                ofRequesters(
                        "compares principals by prefix",
                        "namesOfPrincipalsAreComparedExactly",
                        principal -> principal.name().startsWith("alice") ? Principal.user("alice") : principal),
                ofRequesters(
                        "ignores the case of principals",
                        "namesOfPrincipalsAreComparedExactly",
                        principal -> Principal.user(principal.name().toLowerCase(Locale.ROOT))),
                ofRequesters(
                        "ignores the type of the principal",
                        "aPrincipalOfAnotherTypeIsSomebodyElse",
                        principal -> Principal.user(principal.name())));
    }

    private static List<PluginBug<Authorizer>> ofDeciding() {
        return List.of(
                ofDecisions("allows what it has no opinion about", "withoutRightsNothingIsAllowed", all -> {
                    all.replaceAll(decision -> replaced(decision, Decision.NO_OPINION));
                    return all;
                }),
                ofDecisions("ignores denials", "aDenialWins", all -> {
                    all.replaceAll(decision -> replaced(decision, Decision.DENY));
                    return all;
                }),
                ofDecisions("decides in another order", "decisionsAreInTheOrderOfTheActions", all -> {
                    Collections.reverse(all);
                    return all;
                }),
                ofDecisions("allows all if it allows one", "decisionsAreInTheOrderOfTheActions", all -> {
                    boolean isAny = all.contains(Decision.ALLOW);
                    all.replaceAll(decision -> isAny ? Decision.ALLOW : decision);
                    return all;
                }),
                ofDecisions("decides nothing if there is nothing to allow", "anotherOperationIsNotAllowed", all -> {
                    all.replaceAll(decision -> decision == Decision.ALLOW ? decision : null);
                    return all;
                }),
                new PluginBug<>(
                        "decides once about an action that comes twice",
                        "decisionsAreInTheOrderOfTheActions",
                        good -> (requester, actions) ->
                                good.authorize(requester, List.copyOf(new LinkedHashSet<>(actions)))),
                new PluginBug<>(
                        "decides about some of many",
                        "aRequestMayHaveNoActionsOrMany",
                        good -> (requester, actions) ->
                                good.authorize(requester, actions.subList(0, Math.min(actions.size(), 100)))),
                new PluginBug<>(
                        "allows on an error", "aRequestMayHaveNoActionsOrMany", good -> (requester, actions) -> {
                            try {
                                if (actions.size() > 100) {
                                    throw new IllegalStateException("too many");
                                }
                                return good.authorize(requester, actions);
                            } catch (IllegalStateException failure) {
                                return CompletableFuture.completedFuture(
                                        Collections.nCopies(actions.size(), Decision.ALLOW));
                            }
                        }),
                new PluginBug<>(
                        "allows everything on any resource",
                        "nothingIsAllowedOnAnyResourceWithoutARight",
                        good -> new Authorizer() {
                            @Override
                            public CompletionStage<List<Decision>> authorize(
                                    Requester requester, List<Action> actions) {
                                return good.authorize(requester, actions);
                            }

                            @Override
                            public CompletionStage<Decision> authorizeAny(
                                    Requester requester, Operation operation, ResourceType type) {
                                return CompletableFuture.completedFuture(Decision.ALLOW);
                            }
                        }));
    }

    private static List<PluginBug<Authorizer>> ofState() {
        return List.of(
                new PluginBug<>("remembers the first requester", "aDecisionIsAboutThisRequest", good -> {
                    List<Requester> first = Collections.synchronizedList(new ArrayList<>());
                    return (requester, actions) -> {
                        first.add(requester);
                        return good.authorize(first.get(0), actions);
                    };
                }),
                new PluginBug<>("remembers decisions without the principal", "aDecisionIsAboutThisRequest", good -> {
                    Map<List<Action>, CompletionStage<List<Decision>>> known = new ConcurrentHashMap<>();
                    return (requester, actions) ->
                            known.computeIfAbsent(actions, unknown -> good.authorize(requester, actions));
                }),
                new PluginBug<>("remembers decisions without the action", "aDecisionIsAboutThisRequest", good -> {
                    Map<Requester, CompletionStage<List<Decision>>> known = new ConcurrentHashMap<>();
                    return (requester, actions) ->
                            known.computeIfAbsent(requester, unknown -> good.authorize(requester, actions));
                }),
                new PluginBug<>("keeps the requester in a field", "requestsAtTheSameTimeDoNotMixUp", good -> {
                    Requester[] field = new Requester[1];
                    return (requester, actions) -> {
                        field[0] = requester;
                        Texts.pause();
                        return good.authorize(field[0], actions);
                    };
                }));
    }
}
