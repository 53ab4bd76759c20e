package io.felice.console;

import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.security.AuditLog;
import io.felice.api.security.Authorization;
import io.felice.api.security.Operation;
import io.felice.api.security.Principal;
import io.felice.api.security.ResourceType;
import io.felice.api.security.Users;
import io.felice.console.access.Caller;
import io.felice.console.access.ConsoleRole;
import io.felice.console.access.Identification;
import io.felice.console.access.Logins;
import io.felice.console.access.Permits;
import io.felice.console.access.Session;
import io.felice.console.access.Sessions;
import io.felice.console.http.Answer;
import io.felice.console.http.ApiRequest;
import io.felice.console.http.Endpoint;
import io.felice.console.http.Problem;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** Login, logout, and the first user. */
final class SessionEndpoints {
    private static final int MOST_CHARACTERS = 1_024;

    private final NodeServices services;
    private final Sessions sessions;
    private final Permits permits;
    private final Identification identification;
    private final Logins logins;
    private final Supplier<ConsoleSettings> settings;
    private final String version;

    SessionEndpoints(
            NodeServices services,
            Sessions sessions,
            Permits permits,
            Identification identification,
            Supplier<ConsoleSettings> settings,
            String version) {
        this.services = services;
        this.sessions = sessions;
        this.permits = permits;
        this.identification = identification;
        this.logins = new Logins(services);
        this.settings = settings;
        this.version = version;
    }

    void addTo(Map<String, Endpoint> endpoints) {
        endpoints.put("getSetup", request -> setup());
        endpoints.put("createFirstUser", this::createFirstUser);
        endpoints.put("logIn", this::logIn);
        endpoints.put("getSession", request -> Answer.of(shown(request.caller())));
        endpoints.put("logOut", this::logOut);
        endpoints.put("getDocument", request -> document());
    }

    private record SetupState(boolean needed, String where) {}

    private record FirstUser(String code, String name, String password) {
        @Override
        public String toString() {
            return "the first user";
        }
    }

    private record Credentials(String name, String password) {
        @Override
        public String toString() {
            return "a login";
        }
    }

    private record ClusterName(String id, String name, String colour) {}

    private record Shown(
            String user,
            String role,
            List<String> rights,
            Instant expiresAt,
            Instant endsAt,
            int node,
            String version,
            ClusterName cluster,
            boolean enforced) {}

    private Answer setup() {
        boolean isNeeded = services.need(Users.class).hasSetupCode();
        return Answer.of(new SetupState(
                isNeeded,
                isNeeded ? "The node has printed the code when it started; it is in data/log/felice.log too." : null));
    }

    private Answer createFirstUser(ApiRequest request) throws IOException {
        FirstUser first = request.body(FirstUser.class);
        check(first.code(), first.name(), first.password());
        permits.checkHost(request.host());
        logins.oneOfFew(
                request.host(),
                () -> ApiRequest.await(services.need(Users.class)
                        .redeem(first.code(), first.name(), first.password().getBytes(StandardCharsets.UTF_8))));
        services.find(AuditLog.class)
                .ifPresent(audit ->
                        audit.changed("console:" + request.host().getHostAddress(), "user-setup " + first.name()));
        return begun(request, Principal.user(first.name()));
    }

    private Answer logIn(ApiRequest request) throws IOException {
        Credentials credentials = request.body(Credentials.class);
        check(credentials.name(), credentials.password());
        permits.checkHost(request.host());
        return begun(
                request,
                logins.logIn(credentials.name(), credentials.password(), request.host(), request.isEncrypted()));
    }

    private static void check(String... texts) {
        for (String text : texts) {
            if (text == null || text.isEmpty() || text.length() > MOST_CHARACTERS) {
                throw Problem.invalid("Each of the texts has 1 to " + MOST_CHARACTERS + " characters.");
            }
        }
    }

    private Answer begun(ApiRequest request, Principal principal) {
        Session session = sessions.begin(principal);
        Caller caller = identification.caller(request.http(), session);
        identification.setCookie(request.http(), request.response(), session);
        return Answer.of(shown(caller));
    }

    private Answer logOut(ApiRequest request) {
        sessions.end(request.caller().session());
        identification.clearCookie(request.http(), request.response());
        return Answer.empty();
    }

    private Shown shown(Caller caller) {
        Optional<ClusterMetadata> metadata = services.find(ClusterMetadata.class);
        ConsoleSettings now = settings.get();
        return new Shown(
                caller.user(),
                caller.role().word(),
                rights(caller),
                sessions.expiresAt(caller.session()),
                caller.session().endsAt(),
                metadata.map(ClusterMetadata::brokerId).orElse(-1),
                version,
                new ClusterName(
                        metadata.map(ClusterMetadata::view)
                                .flatMap(ClusterView::clusterId)
                                .orElse(null),
                        text(now.cluster_name()),
                        text(now.cluster_colour())),
                permits.isEnforced());
    }

    private static String text(String setting) {
        return setting.isEmpty() ? null : setting;
    }

    private List<String> rights(Caller caller) {
        List<String> rights = new ArrayList<>();
        if (settings.get().records_readable() && may(caller, Operation.READ)) {
            rights.add("records.read");
        }
        if (caller.role().includes(ConsoleRole.OPERATOR) && may(caller, Operation.WRITE)) {
            rights.add("records.write");
        }
        return rights;
    }

    private boolean may(Caller caller, Operation operation) {
        return ApiRequest.await(
                services.need(Authorization.class).askAny(caller.requester(), operation, ResourceType.TOPIC));
    }

    private static Answer document() throws IOException {
        try (InputStream document = SessionEndpoints.class.getResourceAsStream("openapi.json")) {
            return new Answer(200, "application/json", document.readAllBytes(), Map.of());
        }
    }
}
