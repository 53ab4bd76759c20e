package io.felice.console;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.console.access.AccessTable;
import io.felice.console.access.ConsoleRole;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Every operation has a row in the table of roles, every row an operation, and no other role gets through. */
class AccessTableTest {
    private static ConsoleNode node;
    private static ConsoleNode.Client admin;
    private static ConsoleNode.Client operator;
    private static ConsoleNode.Client viewer;

    @BeforeAll
    static void start() throws Exception {
        node = new ConsoleNode("acl");
        admin = node.firstUser();
        for (String role : List.of("viewer", "operator")) {
            assertThat(admin.post(
                                    "/users",
                                    "{\"name\": \"" + role + "\", \"password\": \"secret\", \"role\": \"" + role
                                            + "\"}")
                            .status())
                    .isEqualTo(201);
        }
        operator = node.login("operator", "secret");
        viewer = node.login("viewer", "secret");
    }

    @AfterAll
    static void stop() throws Exception {
        node.close();
    }

    @Test
    void theDocumentHasTheRowsOfTheTableAndNoOthers() {
        List<String> rows = AccessTable.ROWS.stream()
                .map(row -> row.operation() + " " + row.method() + " " + row.path() + " "
                        + row.role().map(ConsoleRole::word).orElse("open"))
                .toList();
        List<String> operations = Document.read().operations().stream()
                .map(each -> each.id() + " " + each.method() + " " + each.path() + " "
                        + each.json().path("x-role").asText())
                .toList();

        assertThat(operations).containsExactlyInAnyOrderElementsOf(rows);
    }

    @Test
    void whoIsNotLoggedInGetsNothingButWhatIsOpen() throws Exception {
        for (AccessTable.Row row : AccessTable.ROWS) {
            ConsoleNode.Reply reply = call(node.nobody(), row);
            if (row.role().isPresent()) {
                assertThat(reply.status()).as(row.operation()).isEqualTo(401);
            } else if (!row.operation().equals("logIn")) {
                assertThat(reply.code()).as(row.operation()).isNotEqualTo("unauthenticated");
            }
        }
    }

    @Test
    void aViewerIsRefusedWhatOperatorsDo() throws Exception {
        assertRefusedAbove(ConsoleRole.VIEWER, viewer);
    }

    @Test
    void anOperatorIsRefusedWhatAdministratorsDo() throws Exception {
        assertRefusedAbove(ConsoleRole.OPERATOR, operator);
    }

    @Test
    void anAdministratorIsRefusedNothing() throws Exception {
        assertRefusedAbove(ConsoleRole.ADMIN, admin);
    }

    private static void assertRefusedAbove(ConsoleRole role, ConsoleNode.Client client) throws Exception {
        for (AccessTable.Row row : AccessTable.ROWS) {
            boolean isStream =
                    row.operation().equals("getEvents") || row.operation().equals("logOut");
            if (row.role().isEmpty() || isStream) {
                continue;
            }
            ConsoleNode.Reply reply = call(client, row);
            if (role.includes(row.role().get())) {
                assertThat(reply.code())
                        .as(row.operation() + " " + reply.text())
                        .isNotEqualTo("forbidden");
                assertThat(reply.status())
                        .as(row.operation() + " " + reply.text())
                        .isNotIn(401, 405, 500, 501);
            } else {
                assertThat(reply.status()).as(row.operation()).isEqualTo(403);
                assertThat(reply.body().path("needs").asText())
                        .isEqualTo(row.role().get().word());
            }
        }
    }

    /** Nothing there has these names, and no body is complete: only who is refused matters. */
    private static ConsoleNode.Reply call(ConsoleNode.Client client, AccessTable.Row row) throws Exception {
        String path = row.path().replace("{broker}", "77").replaceAll("\\{\\w+}", "nothing");
        return client.send(row.method(), path, row.method().equals("GET") ? null : "{}", java.util.Map.of());
    }
}
