package io.felice.console;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.felice.api.security.Users;
import io.felice.console.access.Guard;
import io.felice.console.access.SessionState;
import io.felice.console.http.Json;
import io.felice.testkit.FeliceNode;
import jakarta.servlet.DispatcherType;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.eclipse.jetty.ee10.servlet.FilterHolder;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/** A node in this JVM with its console behind a real HTTP server. Every answer is compared with the OpenAPI document. */
final class ConsoleNode implements AutoCloseable {
    final FeliceNode node;
    final Map<Class<?>, Object> away = new HashMap<>();
    final Map<String, Object> settings = new HashMap<>();
    private final Document document = Document.read();
    private final Server server = new Server();
    private final ConsoleApi api;
    private final HttpClient http = HttpClient.newHttpClient();

    ConsoleNode(String authorizer) throws Exception {
        node = FeliceNode.inMemory()
                .config("io.felice.security", "authorizer", authorizer)
                .start();
        api = new ConsoleApi(new OfNode(), SessionState.fresh(), this::settings, "1.0.0", Optional.empty());
        ServerConnector connector = new ServerConnector(server);
        connector.setHost("127.0.0.1");
        server.addConnector(connector);
        ServletContextHandler context = new ServletContextHandler("/api");
        ServletHolder holder = new ServletHolder(api.servlet());
        holder.setAsyncSupported(true);
        context.addServlet(holder, "/v1/*");
        Guard guard = new Guard(Set.of(), 1 << 20);
        FilterHolder filter = new FilterHolder(guard);
        filter.setAsyncSupported(true);
        context.addFilter(filter, "/*", EnumSet.of(DispatcherType.REQUEST));
        server.setHandler(context);
        server.start();
    }

    /** The services of the node but for those that are said to be away. */
    private final class OfNode implements NodeServices {
        @Override
        public <T> Optional<T> find(Class<T> type) {
            if (away.containsKey(type)) {
                return Optional.ofNullable(away.get(type)).map(type::cast);
            }
            try {
                return Optional.of(node.service(type));
            } catch (IllegalArgumentException none) {
                return Optional.empty();
            }
        }

        @Override
        public <T> List<T> all(Class<T> type) {
            return find(type).map(List::of).orElse(List.of());
        }
    }

    private ConsoleSettings settings() {
        return (ConsoleSettings) Proxy.newProxyInstance(
                ConsoleSettings.class.getClassLoader(),
                new Class<?>[] {ConsoleSettings.class},
                (proxy, method, arguments) -> settings.getOrDefault(method.getName(), method.getDefaultValue()));
    }

    String setupCode() {
        return node.service(Users.class).setupCode().orElseThrow();
    }

    String url() {
        return "http://127.0.0.1:" + ((ServerConnector) server.getConnectors()[0]).getLocalPort();
    }

    /** An answer: its status, its body, and the value of a cookie that it sets. */
    record Reply(int status, JsonNode body, String text, HttpResponse<String> http) {
        String code() {
            return body.path("code").asText();
        }

        String cookie() {
            return http.headers()
                    .firstValue("Set-Cookie")
                    .map(cookie -> cookie.split(";")[0])
                    .orElse(null);
        }
    }

    /** Somebody with a cookie, or without. */
    final class Client {
        String cookie;

        Reply get(String path) throws Exception {
            return send("GET", path, null, Map.of());
        }

        /** The status of an answer that is not compared with the document. */
        int fetch(String path) throws Exception {
            HttpRequest request = HttpRequest.newBuilder(URI.create(url() + "/api/v1" + path))
                    .header("Cookie", cookie)
                    .build();
            return http.send(request, HttpResponse.BodyHandlers.ofByteArray()).statusCode();
        }

        Reply post(String path, String body) throws Exception {
            return send("POST", path, body, Map.of());
        }

        Reply send(String method, String path, String body, Map<String, String> headers) throws Exception {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url() + "/api/v1" + path))
                    .method(
                            method,
                            body == null
                                    ? HttpRequest.BodyPublishers.noBody()
                                    : HttpRequest.BodyPublishers.ofString(body))
                    .header("X-Felice-Console", "1")
                    .header("Content-Type", "application/json");
            headers.forEach(request::setHeader);
            if (cookie != null) {
                request.header("Cookie", cookie);
            }
            HttpResponse<String> answer =
                    http.send(request.build(), HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
            String type = answer.headers().firstValue("Content-Type").orElse("");
            JsonNode json = type.contains("json")
                            && !type.contains("ndjson")
                            && !answer.body().isEmpty()
                    ? Json.tree(answer.body().getBytes(StandardCharsets.UTF_8))
                    : null;
            List<String> objections = document.objections(method, path, answer.statusCode(), type, json);
            assertThat(objections)
                    .as("%s %s answered %s: %s", method, path, answer.statusCode(), answer.body())
                    .isEmpty();
            return new Reply(answer.statusCode(), json, answer.body(), answer);
        }
    }

    Client nobody() {
        return new Client();
    }

    Client firstUser() throws Exception {
        Client client = new Client();
        Reply made = client.post(
                "/setup",
                "{\"code\": \"" + setupCode() + "\", \"name\": \"admin\", \"password\": \"secret of admin\"}");
        assertThat(made.status()).as(made.text()).isEqualTo(200);
        client.cookie = made.cookie();
        return client;
    }

    Client login(String name, String password) throws Exception {
        Client client = new Client();
        Reply reply = client.post("/session", "{\"name\": \"" + name + "\", \"password\": \"" + password + "\"}");
        assertThat(reply.status()).as(reply.text()).isEqualTo(200);
        client.cookie = reply.cookie();
        return client;
    }

    @Override
    public void close() throws IOException {
        stop();
        api.close();
        node.close();
    }

    private void stop() throws IOException {
        try {
            server.stop();
        } catch (Exception failure) {
            throw new IOException(failure);
        }
    }
}
