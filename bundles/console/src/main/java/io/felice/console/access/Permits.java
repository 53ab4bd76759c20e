package io.felice.console.access;

import io.felice.api.FeliceException;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization;
import io.felice.api.security.Operation;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.api.security.ResourceType;
import io.felice.console.NodeServices;
import io.felice.console.http.Problem;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/**
 * Asks the authorization of the node what a user of the console may do: the same rights as those of clients. While it is
 * not there, nothing is allowed. While {@code authorizer} is {@code none}, everybody who has logged in may do everything,
 * but only from this machine: then any client can make itself a user.
 */
public final class Permits {
    private static final int LONGEST_SECONDS = 10;

    private final NodeServices services;

    public Permits(NodeServices services) {
        this.services = services;
    }

    public boolean isEnforced() {
        return services.need(Authorization.class).isEnforced();
    }

    /** @throws Problem if no rights are enforced and the address is not of this machine */
    public void checkHost(InetAddress host) {
        if (!isEnforced() && !host.isLoopbackAddress()) {
            throw Problem.of(
                    403,
                    "not-on-loopback",
                    "The console answers only clients on its own machine while authorizer is none.",
                    "Set authorizer = acl in io.felice.security.cfg.");
        }
    }

    /** The highest role whose mark the user has; empty if there is none. No line of the audit log comes of it. */
    public Optional<ConsoleRole> role(Principal principal, InetAddress host) {
        List<Action> marks = new ArrayList<>();
        for (ConsoleRole role : ConsoleRole.values()) {
            marks.add(role.mark());
        }
        Authorization.Allowed allowed = ask(new Requester(principal, host), marks);
        Optional<ConsoleRole> highest = Optional.empty();
        for (ConsoleRole role : ConsoleRole.values()) {
            if (allowed.has(role.mark())) {
                highest = Optional.of(role);
            }
        }
        return highest;
    }

    /** Whether the user may do this, for what is only shown: no line of the audit log comes of it. */
    public boolean sees(Caller caller, Operation operation, ResourceType type, String name) {
        Action action = new Action(operation, type, name);
        return ask(caller.requester(), List.of(action)).has(action);
    }

    /** Those items that the user may see. */
    public <T> List<T> seen(
            Caller caller, Collection<T> items, Operation operation, ResourceType type, Function<T, String> name) {
        if (!isEnforced()) {
            return List.copyOf(items);
        }
        List<Action> actions = new ArrayList<>(items.size());
        items.forEach(item -> actions.add(new Action(operation, type, name.apply(item))));
        Authorization.Allowed allowed = ask(caller.requester(), actions);
        List<T> seen = new ArrayList<>(items.size());
        int at = 0;
        for (T item : items) {
            if (allowed.has(actions.get(at++))) {
                seen.add(item);
            }
        }
        return seen;
    }

    /** @throws Problem forbidden, with a line in the audit log, if the user may not do this */
    public void demand(Caller caller, Operation operation, ResourceType type, String name) {
        demand(caller, new Action(operation, type, name));
    }

    /** One of the alternatives is enough. */
    public void demand(Caller caller, Action... alternatives) {
        if (!ask(caller.requester(), List.of(alternatives)).permits(alternatives)) {
            Action action = alternatives[alternatives.length - 1];
            throw Problem.forbidden(
                    caller.principal() + " may not " + words(action.operation()) + " the " + words(action.type())
                            + (action.type() == ResourceType.CLUSTER ? "" : " " + action.name()) + ".",
                    null);
        }
    }

    private static String words(Enum<?> word) {
        return word.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    private Authorization.Allowed ask(Requester requester, Collection<Action> actions) {
        try {
            return services.need(Authorization.class)
                    .ask(requester, actions)
                    .toCompletableFuture()
                    .get(LONGEST_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException | InterruptedException late) {
            throw Problem.of(504, "timeout", "Nobody could say what the user may do. Try again in a moment.");
        } catch (ExecutionException accident) {
            throw new IllegalStateException(FeliceException.unwrap(accident));
        }
    }
}
