package io.felice.console;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.felice.console.http.Json;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The OpenAPI document, and whether an answer is as it says. */
final class Document {
    private final JsonNode document;
    private final SchemaRegistry registry = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);
    private final Map<String, Schema> schemas = new HashMap<>();

    private Document(JsonNode document) {
        this.document = document;
    }

    static Document read() {
        try (InputStream in = Console.class.getResourceAsStream("openapi.json")) {
            return new Document(Json.tree(in.readAllBytes()));
        } catch (Exception unreadable) {
            throw new IllegalStateException(unreadable);
        }
    }

    /** An operation with its method and path. */
    record Operation(String method, String path, JsonNode json) {
        String id() {
            return json.path("operationId").asText();
        }
    }

    List<Operation> operations() {
        List<Operation> operations = new ArrayList<>();
        document.path("paths").properties().forEach(path -> path.getValue()
                .properties()
                .forEach(each ->
                        operations.add(new Operation(each.getKey().toUpperCase(), path.getKey(), each.getValue()))));
        return operations;
    }

    /** What differs from the document. */
    List<String> objections(String method, String pathAndQuery, int status, String type, JsonNode body) {
        String path = pathAndQuery.split("\\?")[0];
        Optional<Operation> operation = operations().stream()
                .filter(each -> each.method().equals(method) && fits(each.path(), path))
                .min((one, other) ->
                        Integer.compare(one.path().indexOf('{'), other.path().indexOf('{')));
        if (operation.isEmpty()) {
            return status == 404 || status == 405 ? List.of() : List.of("there is no such operation");
        }
        JsonNode responses = operation.get().json().path("responses");
        JsonNode response = responses.has(Integer.toString(status))
                ? responses.path(Integer.toString(status))
                : document.at("/components/responses/Problem");
        JsonNode content = response.path("content");
        if (content.isMissingNode()) {
            return body == null ? List.of() : List.of("there is a body");
        } else if (content.fieldNames().next().equals("text/event-stream") || type.contains("ndjson")) {
            return List.of();
        }
        String expected = content.fieldNames().next();
        if (!type.startsWith(expected)) {
            return List.of("the type is " + type + ", not " + expected);
        }
        Schema schema = schemas.computeIfAbsent(
                content.path(expected).path("schema").toString(),
                text -> schema(content.path(expected).path("schema")));
        return schema.validate(body).stream().map(Object::toString).toList();
    }

    private Schema schema(JsonNode schema) {
        ObjectNode whole = ((ObjectNode) document).objectNode();
        whole.setAll((ObjectNode) schema);
        whole.set("components", document.path("components"));
        return registry.getSchema(whole);
    }

    private static boolean fits(String pattern, String path) {
        String[] steps = pattern.split("/");
        String[] parts = path.split("/");
        if (steps.length != parts.length) {
            return false;
        }
        for (int i = 0; i < steps.length; i++) {
            if (!steps[i].startsWith("{") && !steps[i].equals(parts[i])) {
                return false;
            }
        }
        return true;
    }
}
