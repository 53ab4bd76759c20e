package io.felice.console.access;

import static io.felice.console.access.ConsoleRole.ADMIN;
import static io.felice.console.access.ConsoleRole.OPERATOR;
import static io.felice.console.access.ConsoleRole.VIEWER;

import java.util.List;
import java.util.Optional;

/** The role that each operation of the API needs. There is no operation without a row here. */
public final class AccessTable {
    /**
     * An operation.
     *
     * @param role empty if nobody needs to be logged in
     */
    public record Row(String operation, String method, String path, Optional<ConsoleRole> role) {}

    public static final List<Row> ROWS = List.of(
            open("getSetup", "GET", "/setup"),
            open("createFirstUser", "POST", "/setup"),
            open("logIn", "POST", "/session"),
            open("getDocument", "GET", "/openapi.json"),
            row(VIEWER, "getSession", "GET", "/session"),
            row(VIEWER, "logOut", "DELETE", "/session"),
            row(VIEWER, "getOverview", "GET", "/overview"),
            row(VIEWER, "getHealth", "GET", "/health"),
            row(VIEWER, "getStatus", "GET", "/status"),
            row(VIEWER, "getMetricsHistory", "GET", "/metrics/history"),
            row(VIEWER, "getEvents", "GET", "/events"),
            row(VIEWER, "listTopics", "GET", "/topics"),
            row(OPERATOR, "createTopic", "POST", "/topics"),
            row(VIEWER, "getTopicDefaults", "GET", "/topic-defaults"),
            row(VIEWER, "getTopic", "GET", "/topics/{topic}"),
            row(OPERATOR, "deleteTopic", "DELETE", "/topics/{topic}"),
            row(VIEWER, "getTopicAffects", "GET", "/topics/{topic}/affects"),
            row(VIEWER, "listPartitions", "GET", "/topics/{topic}/partitions"),
            row(OPERATOR, "addPartitions", "POST", "/topics/{topic}/partitions"),
            row(VIEWER, "getTopicConfigs", "GET", "/topics/{topic}/configs"),
            row(OPERATOR, "alterTopicConfigs", "PATCH", "/topics/{topic}/configs"),
            row(OPERATOR, "purgeTopic", "POST", "/topics/{topic}/purge"),
            row(ADMIN, "moveTopic", "POST", "/topics/{topic}/move"),
            row(VIEWER, "listRecords", "GET", "/topics/{topic}/records"),
            row(VIEWER, "tailRecords", "GET", "/topics/{topic}/records/tail"),
            row(VIEWER, "exportRecords", "GET", "/topics/{topic}/records/export"),
            row(OPERATOR, "produceRecords", "POST", "/topics/{topic}/records"),
            row(VIEWER, "listGroups", "GET", "/groups"),
            row(VIEWER, "getGroup", "GET", "/groups/{group}"),
            row(OPERATOR, "deleteGroup", "DELETE", "/groups/{group}"),
            row(VIEWER, "getGroupHistory", "GET", "/groups/{group}/history"),
            row(OPERATOR, "resetGroup", "POST", "/groups/{group}/reset"),
            row(OPERATOR, "deleteGroupOffsets", "DELETE", "/groups/{group}/topics/{topic}"),
            row(VIEWER, "listBrokers", "GET", "/brokers"),
            row(VIEWER, "getBroker", "GET", "/brokers/{broker}"),
            row(ADMIN, "removeBroker", "DELETE", "/brokers/{broker}"),
            row(ADMIN, "drainBroker", "PUT", "/brokers/{broker}/drain"),
            row(VIEWER, "getBrokerConfigs", "GET", "/brokers/{broker}/configs"),
            row(ADMIN, "alterBrokerConfigs", "PATCH", "/brokers/{broker}/configs"),
            row(VIEWER, "getClusterConfigs", "GET", "/cluster-configs"),
            row(ADMIN, "alterClusterConfigs", "PATCH", "/cluster-configs"),
            row(VIEWER, "getLoggers", "GET", "/loggers"),
            row(ADMIN, "alterLoggers", "PATCH", "/loggers"),
            row(ADMIN, "listUsers", "GET", "/users"),
            row(ADMIN, "createUser", "POST", "/users"),
            row(ADMIN, "setPassword", "PUT", "/users/{user}/password"),
            row(ADMIN, "setRole", "PUT", "/users/{user}/role"),
            row(ADMIN, "deleteUser", "DELETE", "/users/{user}"),
            row(ADMIN, "listAcls", "GET", "/acls"),
            row(ADMIN, "createAcls", "POST", "/acls"),
            row(ADMIN, "deleteAcls", "POST", "/acls/delete"),
            row(ADMIN, "suggestAcls", "POST", "/acls/wizard"),
            row(ADMIN, "explainDecision", "GET", "/explain"),
            row(ADMIN, "listQuotas", "GET", "/quotas"),
            row(ADMIN, "alterQuota", "PATCH", "/quotas"),
            row(VIEWER, "listPlugins", "GET", "/plugins"),
            row(ADMIN, "checkPlugin", "POST", "/plugins/check"),
            row(ADMIN, "installPlugin", "POST", "/plugins"),
            row(ADMIN, "upgradePlugin", "POST", "/plugins/{plugin}/upgrade"),
            row(ADMIN, "rollbackPlugin", "POST", "/plugins/{plugin}/rollback"),
            row(ADMIN, "enablePlugin", "POST", "/plugins/{plugin}/enable"),
            row(ADMIN, "disablePlugin", "POST", "/plugins/{plugin}/disable"),
            row(ADMIN, "removePlugin", "DELETE", "/plugins/{plugin}"),
            row(ADMIN, "listComponents", "GET", "/configuration"),
            row(ADMIN, "getComponent", "GET", "/configuration/{pid}"),
            row(ADMIN, "alterComponent", "PATCH", "/configuration/{pid}"),
            row(ADMIN, "getComponentHistory", "GET", "/configuration/{pid}/history"),
            row(ADMIN, "revertComponent", "POST", "/configuration/{pid}/revert"),
            row(VIEWER, "listOperations", "GET", "/operations"),
            row(VIEWER, "getOperation", "GET", "/operations/{operation}"),
            row(ADMIN, "cancelOperation", "DELETE", "/operations/{operation}"));

    private AccessTable() {}

    private static Row row(ConsoleRole role, String operation, String method, String path) {
        return new Row(operation, method, path, Optional.of(role));
    }

    private static Row open(String operation, String method, String path) {
        return new Row(operation, method, path, Optional.empty());
    }
}
