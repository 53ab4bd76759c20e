package io.felice.console;

import io.felice.api.status.Trouble;
import io.felice.console.access.Identification;
import io.felice.console.http.Json;
import io.felice.console.http.Problem;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Says whether the process lives ({@code /health/live}) and whether clients are served ({@code /health/ready}: 503 if nobody
 * is). The reasons are for those who are logged in, and for clients on this machine.
 */
final class HealthServlet extends HttpServlet {
    private static final long serialVersionUID = 1L;

    private final transient Supplier<List<Trouble>> troubles;
    private final transient Identification identification;

    HealthServlet(Supplier<List<Trouble>> troubles, Identification identification) {
        this.troubles = troubles;
        this.identification = identification;
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        response.setHeader("Cache-Control", "no-store");
        String path = request.getPathInfo() == null ? "/" : request.getPathInfo();
        switch (path) {
            case "/live" -> write(response, 200, Map.of("status", "up"));
            case "/ready", "/" -> ready(request, response);
            default -> response.sendError(HttpServletResponse.SC_NOT_FOUND);
        }
    }

    private void ready(HttpServletRequest request, HttpServletResponse response) throws IOException {
        OverviewEndpoints.Report report = OverviewEndpoints.report(troubles.get());
        int status = report.status().equals("down") ? 503 : 200;
        write(response, status, maySeeReasons(request) ? report : Map.of("status", report.status()));
    }

    private boolean maySeeReasons(HttpServletRequest request) {
        boolean isHere = Identification.host(request).isLoopbackAddress()
                && request.getHeader("X-Forwarded-For") == null
                && request.getHeader("Forwarded") == null;
        try {
            return isHere || identification.find(request).isPresent();
        } catch (Problem noRole) {
            return false;
        }
    }

    private static void write(HttpServletResponse response, int status, Object body) throws IOException {
        response.setStatus(status);
        response.setContentType("application/json");
        response.getOutputStream().write(Json.bytes(body));
    }
}
