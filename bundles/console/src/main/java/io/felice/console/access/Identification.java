package io.felice.console.access;

import io.felice.console.http.Problem;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Optional;

/** Finds out who sends a request, by its cookie. Any thread. */
public final class Identification {
    private static final String COOKIE = "felice-session-";

    private final Sessions sessions;
    private final Permits permits;

    public Identification(Sessions sessions, Permits permits) {
        this.sessions = sessions;
        this.permits = permits;
    }

    /** @throws Problem unauthenticated, or forbidden if the user has not this role now */
    public Caller identify(HttpServletRequest http, HttpServletResponse response, ConsoleRole needed) {
        Caller caller = find(http).orElseThrow(Identification::unauthenticated);
        if (!caller.role().includes(needed)) {
            throw Problem.forbidden(
                    "This needs the role " + needed.word() + ", and " + caller.user() + " is "
                            + caller.role().word() + ".",
                    needed.word());
        }
        sessions.renewed(caller.session()).ifPresent(renewed -> setCookie(http, response, renewed));
        return caller;
    }

    private static Problem unauthenticated() {
        return Problem.of(401, "unauthenticated", "Nobody is logged in, or the session has ended.", "Log in.");
    }

    /** Empty if nobody is logged in. @throws Problem no-role if the user has no role any more */
    public Optional<Caller> find(HttpServletRequest http) {
        return cookie(http).flatMap(sessions::find).map(session -> caller(http, session));
    }

    /** @throws Problem no-role, or not-on-loopback */
    public Caller caller(HttpServletRequest http, Session session) {
        InetAddress host = host(http);
        permits.checkHost(host);
        ConsoleRole role = permits.role(session.principal(), host)
                .orElseThrow(() -> Problem.of(
                        403,
                        "no-role",
                        session.principal() + " has no role in the console.",
                        "An administrator gives roles, or the right to describe the cluster."));
        return new Caller(session.principal(), host, role, session);
    }

    public static InetAddress host(HttpServletRequest http) {
        try {
            return InetAddress.getByName(http.getRemoteAddr());
        } catch (UnknownHostException noAddress) {
            throw new IllegalStateException(noAddress);
        }
    }

    private static Optional<String> cookie(HttpServletRequest http) {
        Cookie[] cookies = http.getCookies();
        String name = name(http);
        if (cookies != null) {
            for (Cookie cookie : cookies) {
                if (cookie.getName().equals(name)) {
                    return Optional.of(cookie.getValue());
                }
            }
        }
        return Optional.empty();
    }

    /** Browsers send cookies to all ports of a host, where other nodes may be. */
    private static String name(HttpServletRequest http) {
        return COOKIE + http.getLocalPort();
    }

    public void setCookie(HttpServletRequest http, HttpServletResponse response, Session session) {
        set(http, response, sessions.cookie(session), Duration.between(session.seenAt(), session.endsAt()));
    }

    public void clearCookie(HttpServletRequest http, HttpServletResponse response) {
        set(http, response, "", Duration.ZERO);
    }

    private static void set(HttpServletRequest http, HttpServletResponse response, String value, Duration age) {
        boolean isEncrypted = http.isSecure() || "https".equalsIgnoreCase(http.getHeader("X-Forwarded-Proto"));
        response.addHeader(
                "Set-Cookie",
                name(http) + "=" + value + "; Path=/; Max-Age=" + age.toSeconds() + "; HttpOnly; SameSite=Strict"
                        + (isEncrypted ? "; Secure" : ""));
    }
}
