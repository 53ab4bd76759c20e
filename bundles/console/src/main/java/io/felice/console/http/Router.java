package io.felice.console.http;

import io.felice.api.FeliceException;
import io.felice.api.FoldedErrors;
import io.felice.console.access.AccessTable;
import io.felice.console.access.Caller;
import io.felice.console.access.Identification;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The servlet of the API. Finds the operation of a request in the {@link AccessTable}, lets only those through who have its
 * role, and writes what its endpoint answers.
 */
public final class Router extends HttpServlet {
    private static final long serialVersionUID = 1L;
    private static final Logger log = LoggerFactory.getLogger(Router.class);
    private static final FoldedErrors errors = new FoldedErrors(log);

    /** A page of another origin cannot send this header without asking first, and is refused then. */
    private static final String OWN_HEADER = "X-Felice-Console";

    private static final int MOST_DRAINED_BYTES = 64 * 1024;

    private final transient List<Route> routes;
    private final transient Identification identification;
    private final transient SecureRandom random = new SecureRandom();

    private record Route(AccessTable.Row row, List<String> path, Endpoint endpoint) {}

    /** @param endpoints one for each row of the access table, by operation, and no others */
    public Router(Map<String, Endpoint> endpoints, Identification identification) {
        this.identification = identification;
        Set<String> unused = new HashSet<>(endpoints.keySet());
        List<Route> all = new ArrayList<>();
        for (AccessTable.Row row : AccessTable.ROWS) {
            Endpoint endpoint = endpoints.get(row.operation());
            if (endpoint == null) {
                throw new IllegalStateException("no endpoint for " + row.operation());
            }
            unused.remove(row.operation());
            all.add(new Route(row, List.of(row.path().substring(1).split("/")), endpoint));
        }
        if (!unused.isEmpty()) {
            throw new IllegalStateException("no row of the access table for " + unused);
        }
        routes = List.copyOf(all);
    }

    @Override
    protected void service(HttpServletRequest http, HttpServletResponse response) throws IOException {
        response.setHeader("Cache-Control", "no-store");
        try {
            write(response, answer(http, response));
        } catch (Exception failure) {
            write(response, failed(http, failure));
        }
    }

    private Answer answer(HttpServletRequest http, HttpServletResponse response) throws Exception {
        List<String> path = segments(http);
        boolean isKnownPath = false;
        for (Route route : routes) {
            Map<String, String> parameters = match(route.path(), path);
            isKnownPath |= parameters != null;
            if (parameters != null && isMethod(route, http)) {
                return answer(route, http, response, parameters);
            }
        }
        throw isKnownPath
                ? Problem.of(405, "method-not-allowed", "There is no such method of this resource.")
                : Problem.notFound("There is no such resource in the API.");
    }

    private static boolean isMethod(Route route, HttpServletRequest http) {
        String method = http.getMethod();
        return route.row().method().equals(method.equals("HEAD") ? "GET" : method);
    }

    private Answer answer(
            Route route, HttpServletRequest http, HttpServletResponse response, Map<String, String> parameters)
            throws Exception {
        boolean isUnsafe = !route.row().method().equals("GET");
        if (isUnsafe && http.getHeader(OWN_HEADER) == null) {
            throw Problem.of(
                    403, "header-missing", "A request that changes something needs the header " + OWN_HEADER + ".");
        }
        Caller caller = route.row().role().isEmpty()
                ? null
                : identification.identify(http, response, route.row().role().get());
        return route.endpoint().answer(new ApiRequest(http, response, parameters, caller));
    }

    /** Split before it is decoded, so that a name may have a slash. */
    private static List<String> segments(HttpServletRequest http) {
        String prefix = http.getContextPath() + http.getServletPath();
        String path = http.getRequestURI()
                .substring(Math.min(prefix.length(), http.getRequestURI().length()));
        List<String> segments = new ArrayList<>();
        for (String segment : path.split("/")) {
            if (!segment.isEmpty()) {
                segments.add(decoded(segment));
            }
        }
        return segments;
    }

    private static String decoded(String segment) {
        try {
            return URLDecoder.decode(segment.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException noEncoding) {
            throw Problem.notFound("The path cannot be decoded.");
        }
    }

    private static Map<String, String> match(List<String> pattern, List<String> path) {
        if (pattern.size() != path.size()) {
            return null;
        }
        Map<String, String> parameters = new HashMap<>();
        for (int i = 0; i < path.size(); i++) {
            String step = pattern.get(i);
            if (step.startsWith("{")) {
                parameters.put(step.substring(1, step.length() - 1), path.get(i));
            } else if (!step.equals(path.get(i))) {
                return null;
            }
        }
        return parameters;
    }

    private Answer failed(HttpServletRequest http, Exception failure) {
        drain(http);
        Problem problem = failure instanceof BodyTooLarge
                ? Problem.of(413, "body-too-large", failure.getMessage())
                : Problem.of(failure);
        String id = Long.toHexString(random.nextLong());
        boolean isExpected = problem.status() != 500 || FeliceException.unwrap(failure) instanceof FeliceException;
        if (!isExpected) {
            errors.error("A request to the console failed: " + http.getMethod() + " (" + id + ")", failure);
        }
        return new Answer(
                problem.status(),
                "application/problem+json",
                Json.bytes(problem.body().correlatedBy(id)),
                Map.of());
    }

    /** Otherwise the server closes the connection of a client whose body was not read. */
    private static void drain(HttpServletRequest http) {
        try {
            if (http.getContentLengthLong() <= MOST_DRAINED_BYTES) {
                http.getInputStream().readNBytes(MOST_DRAINED_BYTES);
            }
        } catch (IOException | IllegalStateException gone) {
            return;
        }
    }

    private static void write(HttpServletResponse response, Answer answer) throws IOException {
        if (answer == Answer.STREAMED || response.isCommitted()) {
            return;
        }
        response.setStatus(answer.status());
        answer.headers().forEach(response::setHeader);
        if (answer.body() != null) {
            response.setContentType(answer.type());
            response.setContentLength(answer.body().length);
            response.getOutputStream().write(answer.body());
        }
    }
}
