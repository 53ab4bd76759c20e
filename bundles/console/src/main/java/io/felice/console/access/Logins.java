package io.felice.console.access;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.security.Authentication;
import io.felice.api.security.Authenticator;
import io.felice.api.security.Principal;
import io.felice.console.NodeServices;
import io.felice.console.http.Problem;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * Checks names and passwords as the listeners for clients do, with the mechanism PLAIN: by the same store, with the same
 * delays after failures, and with the same lines in the audit log. Few are checked at a time, and fewer of one address; the
 * others are told to come again.
 */
public final class Logins {
    private static final String LISTENER = "CONSOLE";
    private static final String MECHANISM = "PLAIN";
    private static final int MOST_AT_A_TIME = 16;
    private static final int MOST_OF_AN_ADDRESS = 3;
    private static final int LONGEST_SECONDS = 30;

    private final NodeServices services;
    private final Semaphore free = new Semaphore(MOST_AT_A_TIME);
    private final Map<InetAddress, Integer> open = new ConcurrentHashMap<>();

    public Logins(NodeServices services) {
        this.services = services;
    }

    /** Waits for the answer. @throws Problem login-failed, which does not say why; too-many-requests */
    public Principal logIn(String name, String password, InetAddress host, boolean isEncrypted) {
        return oneOfFew(host, () -> check(name, password, host, isEncrypted));
    }

    /** Does something for somebody who has not logged in yet. */
    public <T> T oneOfFew(InetAddress host, Supplier<T> work) {
        boolean mayEnter = open.merge(host, 1, Integer::sum) <= MOST_OF_AN_ADDRESS;
        boolean hasEntered = mayEnter && free.tryAcquire();
        try {
            if (!hasEntered) {
                throw Problem.of(429, "too-many-requests", "Other logins are being checked. Try again in a moment.");
            }
            return work.get();
        } finally {
            if (hasEntered) {
                free.release();
            }
            open.computeIfPresent(host, (same, count) -> count <= 1 ? null : count - 1);
        }
    }

    private Principal check(String name, String password, InetAddress host, boolean isEncrypted) {
        if (name.indexOf('\0') >= 0 || password.indexOf('\0') >= 0) {
            throw failed();
        }
        Authentication.Login login;
        try {
            login = services.need(Authentication.class)
                    .begin(MECHANISM, new Authenticator.Client(host, LISTENER, isEncrypted));
        } catch (FeliceException noMechanism) {
            throw undecided();
        }
        try {
            byte[] message = ("\0" + name + "\0" + password).getBytes(StandardCharsets.UTF_8);
            Authenticator.Reply reply =
                    login.respond(message).toCompletableFuture().get(LONGEST_SECONDS, TimeUnit.SECONDS);
            if (reply instanceof Authenticator.Authenticated who) {
                return who.principal();
            }
            throw failed();
        } catch (TimeoutException | InterruptedException late) {
            throw undecided();
        } catch (java.util.concurrent.ExecutionException refused) {
            throw FeliceException.codeOf(refused) == ErrorCode.REQUEST_TIMED_OUT ? undecided() : failed();
        } finally {
            login.close();
        }
    }

    private static Problem failed() {
        return Problem.of(401, "login-failed", "The name or the password is wrong.");
    }

    private static Problem undecided() {
        return Problem.of(504, "timeout", "Nobody could say whether the password is right. Try again in a moment.");
    }
}
