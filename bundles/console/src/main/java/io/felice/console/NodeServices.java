package io.felice.console;

import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.Endpoints;
import io.felice.api.config.Configs;
import io.felice.api.config.NodeSettings;
import io.felice.api.group.Groups;
import io.felice.api.log.Loggers;
import io.felice.api.partition.Partitions;
import io.felice.api.plugin.Plugins;
import io.felice.api.security.AuditLog;
import io.felice.api.security.Authentication;
import io.felice.api.security.Authorization;
import io.felice.api.security.Users;
import io.felice.console.http.Problem;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The services of this node that are there at the moment. A bundle may be away for a while. Any thread. */
public interface NodeServices {
    /** The bundle of each service, for sentences about one that is away. */
    Map<Class<?>, String> BUNDLES = Map.ofEntries(
            Map.entry(Admin.class, "io.felice.controller"),
            Map.entry(ClusterMetadata.class, "io.felice.broker"),
            Map.entry(Configs.class, "io.felice.broker"),
            Map.entry(NodeSettings.class, "io.felice.config"),
            Map.entry(Partitions.class, "io.felice.broker"),
            Map.entry(Groups.class, "io.felice.coordinator"),
            Map.entry(Endpoints.class, "io.felice.network"),
            Map.entry(Authentication.class, "io.felice.security"),
            Map.entry(Authorization.class, "io.felice.security"),
            Map.entry(Users.class, "io.felice.security"),
            Map.entry(AuditLog.class, "io.felice.security"),
            Map.entry(Plugins.class, "io.felice.plugins"),
            Map.entry(Loggers.class, "io.felice.shell"));

    <T> Optional<T> find(Class<T> type);

    <T> List<T> all(Class<T> type);

    /** @throws Problem bundle-away if the service is not there */
    default <T> T need(Class<T> type) {
        return find(type).orElseThrow(() -> Problem.away(BUNDLES.getOrDefault(type, type.getName())));
    }
}
