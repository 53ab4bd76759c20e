package io.felice.itests.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Ports;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The console of the distribution, as somebody sees it who has unpacked and started it. */
class ConsoleTest {
    /** URLs of the pages, the API, the numbers and the platform. */
    private static final List<String> EVERYWHERE = List.of(
            "/",
            "/index.html",
            "/api/v1/session",
            "/api/v1/topics",
            "/api/nothing",
            "/metrics",
            "/health/ready",
            "/system/console/bundles",
            "/system/console/configMgr/io.felice.security",
            "/nothing");

    @TempDir
    Path directory;

    private final HttpClient http = HttpClient.newHttpClient();
    private Launcher node;
    private String url;
    private String cookie = "";

    @AfterEach
    void stop() throws Exception {
        node.run("stop");
    }

    @Test
    void theFirstUserLogsInAndEveryUrlIsGuarded() throws Exception {
        Path home = Archive.TAR_GZ.unpack(directory);
        assertThat(Files.readString(home.resolve("etc/org.apache.karaf.features.cfg")))
                .contains("felice-console");
        node = Launcher.of(home, directory.resolve("data")).listeningOn(Ports.free(), Ports.free());

        Launcher.Result start = node.run("start");
        assertThat(start.exitCode()).as(start.output()).isZero();
        url = found("console +(http\\S+)/", start.output());
        String code = found("one-time code: (\\S+)", start.output());

        nobodyGetsAnythingBefore();
        theFirstUserIsMade(code);
        foreignPagesAreRefusedEverywhere();
        thePlatformIsForAdministrators();
        aChangedSettingIsTakenByTheRunningNode();
        aBundleThatIsAwayIsNamed();
        anUpdateOfTheConsoleLogsNobodyOut();
        assertThat(node.log()).doesNotContain("secret of admin");
    }

    private static String found(String pattern, String text) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        assertThat(matcher.find()).as(text).isTrue();
        return matcher.group(1);
    }

    private HttpResponse<String> send(String method, String path, String body, Map<String, String> headers)
            throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + path))
                .method(
                        method,
                        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body))
                .header("Content-Type", "application/json")
                .header("X-Felice-Console", "1");
        if (!cookie.isEmpty()) {
            request.header("Cookie", cookie);
        }
        headers.forEach(request::setHeader);
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private HttpResponse<String> get(String path) throws Exception {
        return send("GET", path, null, Map.of());
    }

    private void nobodyGetsAnythingBefore() throws Exception {
        assertThat(get("/api/v1/topics").statusCode()).isEqualTo(401);
        assertThat(get("/system/console/bundles").statusCode()).isEqualTo(302);
        assertThat(get("/system/console/bundles.json").body()).doesNotContain("org.apache.felix");
        assertThat(get("/health/live").statusCode()).isEqualTo(200);
        assertThat(get("/health/ready").body()).contains("\"status\":\"up\"");
        assertThat(get("/metrics").body()).contains("felice_network_requests_in_bytes_total{api=");
    }

    private void theFirstUserIsMade(String code) throws Exception {
        HttpResponse<String> wrong = setUp("WRONG-CODE");
        assertThat(wrong.statusCode()).as(wrong.body()).isEqualTo(403);

        HttpResponse<String> made = setUp(code);
        assertThat(made.statusCode()).as(made.body()).isEqualTo(200);
        String set = made.headers().firstValue("Set-Cookie").orElseThrow();
        assertThat(set).contains("HttpOnly", "SameSite=Strict", "Path=/");
        cookie = set.split(";")[0];
        assertThat(get("/api/v1/overview").body()).contains("\"verdict\":\"healthy\"");
    }

    private HttpResponse<String> setUp(String code) throws Exception {
        return send(
                "POST",
                "/api/v1/setup",
                "{\"code\": \"" + code + "\", \"name\": \"admin\", \"password\": \"secret of admin\"}",
                Map.of());
    }

    private void foreignPagesAreRefusedEverywhere() throws Exception {
        for (String path : EVERYWHERE) {
            for (String method : List.of("POST", "PUT", "DELETE")) {
                HttpResponse<String> answer = send(method, path, "{}", Map.of("Origin", "http://evil.example"));
                assertThat(answer.statusCode()).as(method + " " + path).isEqualTo(403);
                assertThat(answer.body()).as(method + " " + path).contains("foreign-origin");
            }
            HttpResponse<String> page = get(path);
            assertThat(page.headers().firstValue("X-Frame-Options")).as(path).contains("DENY");
            assertThat(page.headers().firstValue("X-Content-Type-Options"))
                    .as(path)
                    .contains("nosniff");
            assertThat(page.headers().firstValue("Server")).as(path).isEmpty();
            boolean isPlatform = path.startsWith("/system/console");
            assertThat(page.headers().firstValue("Content-Security-Policy").orElseThrow())
                    .as(path)
                    .startsWith("default-src 'self'")
                    .satisfies(policy ->
                            assertThat(policy.contains("unsafe-inline")).isEqualTo(isPlatform));
        }
    }

    private void thePlatformIsForAdministrators() throws Exception {
        assertThat(get("/system/console/bundles.json").body()).contains("io.felice.console");
        String own = cookie;
        cookie = "";
        assertThat(send("GET", "/system/console/bundles.json", null, Map.of("Authorization", "Basic YWRtaW46YWRtaW4="))
                        .statusCode())
                .isEqualTo(302);
        cookie = own;
    }

    private void aChangedSettingIsTakenByTheRunningNode() throws Exception {
        HttpResponse<String> created = send("POST", "/api/v1/topics", "{\"name\": \"orders\"}", Map.of());
        assertThat(created.statusCode()).as(created.body()).isEqualTo(201);
        HttpResponse<String> produced = send(
                "POST",
                "/api/v1/topics/orders/records",
                "{\"records\": [{\"value\": {\"text\": \"an order\"}}]}",
                Map.of());
        assertThat(produced.body()).contains("\"offset\":0");
        assertThat(get("/api/v1/topics/orders/records").body()).contains("an order");

        assertThat(send(
                                "PATCH",
                                "/api/v1/configuration/io.felice.console",
                                "{\"set\": {\"session.hours\": \"0\"}}",
                                Map.of())
                        .statusCode())
                .isEqualTo(422);
        HttpResponse<String> changed = send(
                "PATCH",
                "/api/v1/configuration/io.felice.console",
                "{\"set\": {\"records.readable\": \"false\"}}",
                Map.of());
        assertThat(changed.statusCode()).as(changed.body()).isEqualTo(200);
        Eventually.await(
                "the setting", () -> !bodyOf("/api/v1/topics/orders/records").contains("an order"));
    }

    private String bodyOf(String path) {
        try {
            return get(path).body();
        } catch (Exception failure) {
            throw new IllegalStateException(failure);
        }
    }

    private void aBundleThatIsAwayIsNamed() throws Exception {
        node.run("exec", "bundle:stop io.felice.coordinator");
        HttpResponse<String> groups = get("/api/v1/groups");
        assertThat(groups.statusCode()).as(groups.body()).isEqualTo(503);
        assertThat(groups.body()).contains("\"bundle\":\"io.felice.coordinator\"");
        assertThat(get("/api/v1/topics").statusCode()).isEqualTo(200);
        node.run("exec", "bundle:start io.felice.coordinator");
        Eventually.await("the groups", () -> bodyOf("/api/v1/groups").contains("\"items\""));
    }

    private void anUpdateOfTheConsoleLogsNobodyOut() throws Exception {
        node.run("exec", "bundle:restart io.felice.console");
        Eventually.await("the console", () -> bodyOf("/api/v1/session").contains("\"user\":\"admin\""));
        node.run("exec", "bundle:restart io.felice.console.pages");
        Eventually.await("the pages", () -> bodyOf("/").contains("<html"));
    }
}
