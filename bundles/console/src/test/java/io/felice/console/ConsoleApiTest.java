package io.felice.console;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.group.Groups;
import io.felice.api.group.Groups.OffsetToCommit;
import io.felice.api.plugin.Plugins;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the API shows and does on a node in this JVM. Each answer is compared with the OpenAPI document. */
class ConsoleApiTest {
    private static ConsoleNode node;
    private static ConsoleNode.Client admin;

    @BeforeAll
    static void start() throws Exception {
        node = new ConsoleNode("acl");
        admin = node.firstUser();
    }

    @AfterAll
    static void stop() throws Exception {
        node.close();
    }

    private static ConsoleNode.Reply created(String topic, String more) throws Exception {
        ConsoleNode.Reply reply = admin.post("/topics", "{\"name\": \"" + topic + "\"" + more + "}");
        assertThat(reply.status()).as(reply.text()).isEqualTo(201);
        return reply;
    }

    private static void produce(String topic, String records) throws Exception {
        ConsoleNode.Reply reply = admin.post("/topics/" + topic + "/records", "{\"records\": [" + records + "]}");
        assertThat(reply.status()).as(reply.text()).isEqualTo(200);
        reply.body().path("records").forEach(each -> assertThat(each.has("offset"))
                .as(each.toString())
                .isTrue());
    }

    private static List<String> texts(JsonNode items, String member) {
        List<String> texts = new ArrayList<>();
        items.forEach(item -> texts.add(item.at(member).asText()));
        return texts;
    }

    // ---- sessions

    @Test
    void theCodeForTheFirstUserIsOverOnceThereIsOne() throws Exception {
        assertThat(admin.get("/setup").body().path("needed").asBoolean()).isFalse();
        assertThat(node.nobody()
                        .post("/setup", "{\"code\": \"X\", \"name\": \"b\", \"password\": \"c\"}")
                        .status())
                .isEqualTo(422);
        assertThat(admin.get("/session").body().path("role").asText()).isEqualTo("admin");
    }

    @Test
    void aWrongPasswordAndAnUnknownUserLookTheSame() throws Exception {
        ConsoleNode.Reply wrong = node.nobody().post("/session", "{\"name\": \"admin\", \"password\": \"wrong\"}");
        ConsoleNode.Reply unknown = node.nobody().post("/session", "{\"name\": \"nobody\", \"password\": \"wrong\"}");

        assertThat(wrong.status()).isEqualTo(401);
        assertThat(wrong.cookie()).isNull();
        assertThat(unknown.body().path("detail")).isEqualTo(wrong.body().path("detail"));
    }

    @Test
    void aCookieIsVoidAfterTheLogoutAndAfterItWasChanged() throws Exception {
        ConsoleNode.Client client = node.login("admin", "secret of admin");
        String cookie = client.cookie;
        assertThat(client.get("/session").status()).isEqualTo(200);

        client.cookie = cookie.substring(0, cookie.length() - 2) + (cookie.endsWith("AA") ? "BB" : "AA");
        assertThat(client.get("/session").status()).isEqualTo(401);

        client.cookie = cookie;
        assertThat(client.send("DELETE", "/session", null, Map.of()).status()).isEqualTo(204);
        assertThat(client.get("/session").status()).isEqualTo(401);
    }

    @Test
    void aSessionEndsWhenThePasswordChangesAndWhenTheUserGoes() throws Exception {
        admin.post("/users", "{\"name\": \"eve\", \"password\": \"one\", \"role\": \"viewer\"}");
        ConsoleNode.Client first = node.login("eve", "one");
        admin.send("PUT", "/users/eve/password", "{\"password\": \"two\"}", Map.of());
        assertThat(first.get("/session").status()).isEqualTo(401);

        ConsoleNode.Client second = node.login("eve", "two");
        admin.send("DELETE", "/users/eve", null, Map.of());
        assertThat(second.get("/session").status()).isEqualTo(401);
    }

    @Test
    void aUserWithoutARoleIsNotLetIn() throws Exception {
        admin.post("/users", "{\"name\": \"app\", \"password\": \"secret\"}");

        ConsoleNode.Reply reply = node.nobody().post("/session", "{\"name\": \"app\", \"password\": \"secret\"}");

        assertThat(reply.code()).isEqualTo("no-role");
        assertThat(reply.cookie()).isNull();
    }

    @Test
    void aRoleThatIsTakenAwayCountsAtOnce() throws Exception {
        admin.post("/users", "{\"name\": \"olga\", \"password\": \"secret\", \"role\": \"operator\"}");
        ConsoleNode.Client olga = node.login("olga", "secret");
        assertThat(olga.get("/session").body().path("role").asText()).isEqualTo("operator");

        admin.send("PUT", "/users/olga/role", "{\"role\": \"viewer\"}", Map.of());

        assertThat(olga.post("/topics", "{\"name\": \"olgas\"}").status()).isEqualTo(403);
        assertThat(olga.get("/topics").status()).isEqualTo(200);
    }

    @Test
    void aRequestWithoutTheHeaderOrOfAnotherOriginChangesNothing() throws Exception {
        assertThat(admin.send("POST", "/topics", "{\"name\": \"foreign\"}", Map.of("Origin", "http://evil.example"))
                        .code())
                .isEqualTo("foreign-origin");
        assertThat(admin.send("POST", "/topics", "{\"name\": \"foreign\"}", Map.of("Sec-Fetch-Site", "cross-site"))
                        .code())
                .isEqualTo("foreign-origin");
        assertThat(admin.get("/topics/foreign").status()).isEqualTo(404);
        assertThat(admin.send("POST", "/topics", "{\"name\": \"own\"}", Map.of("Origin", node.url()))
                        .status())
                .isEqualTo(201);
    }

    // ---- topics

    @Test
    void aTopicIsMadeChangedAndDeleted() throws Exception {
        created("orders", ", \"partitions\": 3, \"configs\": {\"retention.ms\": \"60000\"}");
        JsonNode topic = admin.get("/topics/orders").body();
        assertThat(topic.path("partitions").asInt()).isEqualTo(3);
        assertThat(topic.path("retentionMs").asLong()).isEqualTo(60_000);

        ConsoleNode.Reply configs = admin.get("/topics/orders/configs");
        String etag = configs.http().headers().firstValue("ETag").orElseThrow();
        ConsoleNode.Reply changed = admin.send(
                "PATCH",
                "/topics/orders/configs",
                "{\"set\": {\"cleanup.policy\": \"compact\"}, \"unset\": [\"retention.ms\"]}",
                Map.of("If-Match", etag));
        assertThat(changed.status()).as(changed.text()).isEqualTo(200);
        assertThat(texts(changed.body().path("changed"), "/key")).containsExactly("cleanup.policy", "retention.ms");
        assertThat(admin.send(
                                "PATCH",
                                "/topics/orders/configs",
                                "{\"unset\": [\"cleanup.policy\"]}",
                                Map.of("If-Match", etag))
                        .status())
                .isEqualTo(412);

        assertThat(admin.post("/topics/orders/partitions", "{\"count\": 5}").status())
                .isEqualTo(200);
        assertThat(admin.get("/topics/orders/partitions").body().path("total").asInt())
                .isEqualTo(5);
        assertThat(admin.get("/topics/orders/affects").status()).isEqualTo(200);
        assertThat(admin.send("DELETE", "/topics/orders?dryRun=true", null, Map.of())
                        .status())
                .isEqualTo(200);
        assertThat(admin.get("/topics/orders").status()).isEqualTo(200);
        assertThat(admin.send("DELETE", "/topics/orders", null, Map.of()).status())
                .isEqualTo(200);
        assertThat(admin.get("/topics/orders").status()).isEqualTo(404);
    }

    @Test
    void aConfigThatDoesNotFitIsNamed() throws Exception {
        created("fussy", "");

        ConsoleNode.Reply reply =
                admin.send("PATCH", "/topics/fussy/configs", "{\"set\": {\"retention.ms\": \"-7\"}}", Map.of());

        assertThat(reply.status()).isEqualTo(422);
        assertThat(reply.body().at("/errors/0/key").asText()).isEqualTo("retention.ms");
    }

    @Test
    void listsAreFilteredSortedAndCut() throws Exception {
        for (String name : List.of("list-a", "list-b", "list-c")) {
            created(name, ", \"partitions\": " + (name.charAt(5) - 'a' + 1));
        }

        JsonNode page =
                admin.get("/topics?q=LIST-&sort=-partitions&offset=1&limit=1").body();

        assertThat(texts(page.path("items"), "/name")).containsExactly("list-b");
        assertThat(page.path("total").asInt()).isEqualTo(3);
        assertThat(admin.get("/topics?sort=colour").status()).isEqualTo(422);
        assertThat(admin.get("/topics?limit=0").status()).isEqualTo(422);
    }

    @Test
    void defaultsOfATopicAreShown() throws Exception {
        JsonNode defaults = admin.get("/topic-defaults").body();

        assertThat(defaults.path("partitions").asInt()).isEqualTo(1);
        assertThat(texts(defaults.path("configs"), "/name")).contains("retention.ms", "cleanup.policy");
    }

    // ---- records

    @Test
    void recordsAreReadFromTheNewestBackPageByPage() throws Exception {
        created("pages", ", \"partitions\": 3");
        for (int i = 0; i < 30; i++) {
            produce("pages", "{\"partition\": " + i % 3 + ", \"value\": {\"text\": \"" + i + "\"}}");
            Thread.sleep(2);
        }

        List<String> seen = new ArrayList<>();
        String cursor = "";
        for (int page = 0; page < 10 && cursor != null; page++) {
            JsonNode found = admin.get("/topics/pages/records?limit=7" + cursor).body();
            seen.addAll(texts(found.path("records"), "/value/text"));
            cursor = found.has("cursor") ? "&cursor=" + found.path("cursor").asText() : null;
        }

        List<String> expected = new ArrayList<>();
        for (int i = 29; i >= 0; i--) {
            expected.add(Integer.toString(i));
        }
        assertThat(seen).containsExactlyElementsOf(expected);
    }

    @Test
    void recordsAreReadFromTheOldestOnPageByPageAndSearched() throws Exception {
        created("search", ", \"partitions\": 2");
        List<String> records = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            records.add("{\"partition\": " + i % 2 + ", \"key\": {\"text\": \"k" + i + "\"}, \"value\": {\"text\": \"v"
                    + (i % 10) + "\"}, \"headers\": [{\"name\": \"n\", \"value\": {\"text\": \"h" + i + "\"}}]}");
        }
        produce("search", String.join(",", records));

        List<String> keys = new ArrayList<>();
        String cursor = "";
        for (int page = 0; page < 40 && cursor != null; page++) {
            JsonNode found = admin.get("/topics/search/records?from=oldest&value=v7&limit=4" + cursor)
                    .body();
            keys.addAll(texts(found.path("records"), "/key/text"));
            cursor = found.has("cursor") ? "&cursor=" + found.path("cursor").asText() : null;
        }

        assertThat(keys).hasSize(30).doesNotHaveDuplicates().contains("k7", "k297");
        assertThat(admin.get("/topics/search/records?header=h299").body().path("records"))
                .hasSize(1);
        assertThat(admin.get("/topics/search/records?regex=true&key=%5Ek1%5B0-2%5D%24")
                        .body()
                        .path("records"))
                .hasSize(3);
        assertThat(admin.get("/topics/search/records?from=offset&partition=1&offset=149")
                        .body()
                        .path("records"))
                .hasSize(1);
        assertThat(admin.get("/topics/search/records?budget=10&q=nothing")
                        .body()
                        .path("end")
                        .asText())
                .isEqualTo("budget");
        assertThat(admin.get("/topics/search/records/export?limit=5").text().lines())
                .hasSize(5);
    }

    @Test
    void nullEmptyTextAndBytesAreToldApart() throws Exception {
        created("kinds", "");
        produce(
                "kinds",
                "{\"key\": {\"text\": \"a\"}}, {\"key\": {\"text\": \"b\"}, \"value\": {\"text\": \"\"}},"
                        + " {\"value\": {\"text\": \"{\\\"a\\\": 1}\"}}, {\"value\": {\"base64\": \"//8A\"}, \"headers\":"
                        + " [{\"name\": \"x\", \"value\": null}, {\"name\": \"x\", \"value\": {\"text\": \"2\"}}]}");

        JsonNode records = admin.get("/topics/kinds/records?from=oldest").body().path("records");

        assertThat(texts(records, "/kind")).containsExactly("tombstone", "data", "data", "data");
        assertThat(records.at("/0/value").isNull()).isTrue();
        assertThat(records.at("/1/value/kind").asText()).isEqualTo("empty");
        assertThat(records.at("/2/value/kind").asText()).isEqualTo("json");
        assertThat(records.at("/3/value/base64").asText()).isEqualTo("//8A");
        assertThat(records.at("/3/headers/0/value").isNull()).isTrue();
        assertThat(records.at("/3/headers/1/value/text").asText()).isEqualTo("2");
    }

    @Test
    void whoMayNotReadRecordsSeesOnlyWhereTheyAre() throws Exception {
        created("private", "");
        produce("private", "{\"key\": {\"text\": \"secret-key\"}, \"value\": {\"text\": \"secret-value\"}}");
        admin.post("/users", "{\"name\": \"vera\", \"password\": \"secret\", \"role\": \"viewer\"}");
        ConsoleNode.Client vera = node.login("vera", "secret");

        ConsoleNode.Reply hidden = vera.get("/topics/private/records");
        assertThat(hidden.body().path("records")).hasSize(1);
        assertThat(hidden.text()).doesNotContain("secret-");
        assertThat(vera.get("/topics/private/records?q=secret").status()).isEqualTo(403);
        assertThat(vera.get("/topics/private/records/export").status()).isEqualTo(403);

        admin.post(
                "/acls",
                "{\"acls\": [{\"principal\": \"User:vera\", \"host\": \"*\", \"operation\": \"read\", \"permission\":"
                        + " \"allow\", \"resource\": {\"type\": \"topic\", \"name\": \"private\", \"pattern\": \"literal\"}}]}");
        assertThat(vera.get("/topics/private/records").text()).contains("secret-value");

        node.settings.put("records_readable", false);
        assertThat(admin.get("/topics/private/records").text()).doesNotContain("secret-value");
        node.settings.remove("records_readable");
    }

    @Test
    void purgedRecordsAreGone() throws Exception {
        created("purge", "");
        produce("purge", "{\"value\": {\"text\": \"1\"}}, {\"value\": {\"text\": \"2\"}}");

        assertThat(admin.post("/topics/purge/purge?dryRun=true", "{}")
                        .body()
                        .at("/partitions/0/start")
                        .asInt())
                .isEqualTo(2);
        assertThat(admin.get("/topics/purge/records").body().path("records")).hasSize(2);
        admin.post("/topics/purge/purge", "{\"partitions\": {\"0\": 1}}");
        assertThat(admin.get("/topics/purge/records").body().path("records")).hasSize(1);
    }

    // ---- groups

    private static void commit(String group, String topic, long offset) throws Exception {
        Groups groups = node.node.service(Groups.class);
        groups.coordinatorOf(group).toCompletableFuture().get();
        Map<TopicPartition, OffsetToCommit> offsets = new HashMap<>();
        offsets.put(new TopicPartition(topic, 0), new OffsetToCommit(offset, -1, "", -1));
        ErrorCode code = ErrorCode.COORDINATOR_NOT_AVAILABLE;
        for (int tries = 0; tries < 200 && code != ErrorCode.NONE; tries++) {
            code = groups.commit(group, -1, "", null, offsets)
                    .toCompletableFuture()
                    .get()
                    .get(new TopicPartition(topic, 0));
            Thread.sleep(code == ErrorCode.NONE ? 0 : 20);
        }
        assertThat(code).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void aGroupIsShownResetAndDeleted() throws Exception {
        created("read", "");
        produce(
                "read",
                "{\"value\": {\"text\": \"1\"}}, {\"value\": {\"text\": \"2\"}}, {\"value\": {\"text\": \"3\"}}");
        commit("readers", "read", 1);

        JsonNode item = admin.get("/groups?q=readers").body().at("/items/0");
        assertThat(item.path("lag").asInt()).isEqualTo(2);
        JsonNode group = admin.get("/groups/readers").body();
        assertThat(group.at("/partitions/0/committed").asInt()).isEqualTo(1);
        assertThat(group.at("/partitions/0/lagSeconds").isNumber()).isTrue();
        assertThat(admin.get("/topics/read").body().at("/groupList/0/lag").asInt())
                .isEqualTo(2);
        assertThat(admin.get("/groups/readers/history").status()).isEqualTo(200);

        JsonNode preview = admin.post("/groups/readers/reset?dryRun=true", "{\"to\": \"latest\"}")
                .body();
        assertThat(preview.at("/rows/0/skipped").asInt()).isEqualTo(2);
        assertThat(admin.get("/groups/readers").body().path("lag").asInt()).isEqualTo(2);
        admin.post("/groups/readers/reset", "{\"to\": \"earliest\"}");
        assertThat(admin.get("/groups/readers").body().path("lag").asInt()).isEqualTo(3);

        assertThat(admin.send("DELETE", "/groups/readers", null, Map.of()).status())
                .isEqualTo(200);
        assertThat(admin.get("/groups/readers").status()).isEqualTo(404);
    }

    // ---- the rest

    @Test
    void theOverviewSaysThatTheNodeIsHealthyAndWhereClientsConnect() throws Exception {
        JsonNode overview = admin.get("/overview").body();

        assertThat(overview.path("verdict").asText()).as(overview.toString()).isEqualTo("healthy");
        assertThat(overview.at("/bootstrap/0/address").asText()).isEqualTo(node.node.bootstrap());
        assertThat(overview.at("/brokers/0/controller").asBoolean()).isTrue();
    }

    @Test
    void brokersTheirConfigsAndTheTablesAreShown() throws Exception {
        assertThat(admin.get("/brokers").body().path("total").asInt()).isEqualTo(1);
        assertThat(admin.get("/brokers/0").body().path("logDirs").size()).isPositive();
        assertThat(texts(admin.get("/brokers/0/configs").body().path("items"), "/name"))
                .contains("num.partitions");
        ConsoleNode.Reply changed =
                admin.send("PATCH", "/cluster-configs", "{\"set\": {\"log.retention.ms\": \"86400000\"}}", Map.of());
        assertThat(changed.status()).as(changed.text()).isEqualTo(200);
        assertThat(admin.get("/status").status()).isEqualTo(200);
        assertThat(admin.get("/metrics/history?minutes=1").status()).isEqualTo(200);
        assertThat(admin.get("/operations").status()).isEqualTo(200);
    }

    @Test
    void aDecisionIsExplained() throws Exception {
        JsonNode denied = admin.get("/explain?principal=User:zoe&operation=read&type=topic&name=secret")
                .body();
        assertThat(denied.path("allowed").asBoolean()).isFalse();

        JsonNode wizard = admin.post(
                        "/acls/wizard",
                        "{\"kind\": \"consumer\", \"principal\": \"User:zoe\", \"topic\": \"secret\", \"group\": \"zoes\"}")
                .body();
        admin.post("/acls", wizard.toString());
        JsonNode allowed = admin.get("/explain?principal=User:zoe&operation=describe&type=topic&name=secret")
                .body();

        assertThat(allowed.path("allowed").asBoolean()).isTrue();
        assertThat(allowed.path("rules")).hasSize(1);
        assertThat(admin.post("/acls/delete", wizard.toString()).body().path("acls"))
                .hasSize(2);
    }

    @Test
    void quotasAreSetAndRemoved() throws Exception {
        admin.send("PATCH", "/quotas", "{\"user\": \"zoe\", \"produceBytesPerSecond\": 1000}", Map.of());
        assertThat(admin.get("/quotas")
                        .body()
                        .at("/items/0/produceBytesPerSecond")
                        .asInt())
                .isEqualTo(1_000);

        admin.send("PATCH", "/quotas", "{\"user\": \"zoe\", \"produceBytesPerSecond\": null}", Map.of());
        assertThat(admin.get("/quotas").body().path("items")).isEmpty();
    }

    @Test
    void aBundleThatIsAwayIsNamed() throws Exception {
        node.away.put(Groups.class, null);
        node.away.put(Plugins.class, null);
        try {
            ConsoleNode.Reply groups = admin.get("/groups");

            assertThat(groups.status()).isEqualTo(503);
            assertThat(groups.body().path("bundle").asText()).isEqualTo("io.felice.coordinator");
            assertThat(admin.get("/plugins").body().path("bundle").asText()).isEqualTo("io.felice.plugins");
            assertThat(admin.get("/topics").status()).isEqualTo(200);
        } finally {
            node.away.clear();
        }
    }
}
