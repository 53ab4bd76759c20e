package io.felice.console;

import io.felice.console.access.Caller;
import io.felice.console.access.ConsoleRole;
import io.felice.console.access.Identification;
import io.felice.console.access.Sessions;
import io.felice.console.http.Problem;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import org.apache.felix.webconsole.spi.SecurityProvider;

/** Lets administrators into the pages of the platform, by the session that they have in the console. */
final class PlatformLogin implements SecurityProvider {
    /** The framework property {@code felix.webconsole.security.providers} names it. */
    static final String ID = "io.felice.console";

    private final Sessions sessions;
    private final Identification identification;

    PlatformLogin(Sessions sessions, Identification identification) {
        this.sessions = sessions;
        this.identification = identification;
    }

    @Override
    public Object authenticate(HttpServletRequest request, HttpServletResponse response) {
        try {
            Optional<Caller> caller = identification.find(request);
            if (caller.filter(found -> found.role() == ConsoleRole.ADMIN).isPresent()) {
                return caller.get().user();
            }
            refuse(request, response, caller.isPresent());
        } catch (Problem problem) {
            send(response, problem.status(), problem.getMessage());
        }
        return null;
    }

    private static void refuse(HttpServletRequest request, HttpServletResponse response, boolean isLoggedIn) {
        if (isLoggedIn) {
            send(response, 403, "The pages of the platform are for administrators.");
        } else if (request.getMethod().equals("GET")) {
            response.setStatus(302);
            response.setHeader("Location", home(request.getRequestURI()));
        } else {
            send(response, 401, "Nobody is logged in, or the session has ended.");
        }
    }

    /** Relative, because a proxy may have the console below another path. */
    static String home(String path) {
        long slashes = path.chars().filter(each -> each == '/').count();
        return slashes < 2 ? "./" : "../".repeat((int) Math.min(slashes - 1, 32));
    }

    private static void send(HttpServletResponse response, int status, String sentence) {
        try {
            response.setStatus(status);
            response.setContentType("text/plain;charset=utf-8");
            response.getWriter().println(sentence);
        } catch (IOException gone) {
            throw new UncheckedIOException(gone);
        }
    }

    @Override
    public void logout(HttpServletRequest request, HttpServletResponse response) {
        try {
            identification.find(request).ifPresent(caller -> sessions.end(caller.session()));
        } catch (Problem noRole) {
            // Who has no role any more gets nowhere with the session.
        }
        identification.clearCookie(request, response);
        response.setStatus(302);
        response.setHeader("Location", home(request.getRequestURI()));
    }

    @Override
    public boolean authorize(Object user, String role) {
        return user != null;
    }
}
