package io.felice.shell;

import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.security.AuditLog;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:broker-remove}: removes a broker that is stopped and drained. */
@Service
@Command(
        scope = "felice",
        name = "broker-remove",
        description = "Removes a broker for good. It must be stopped and have no replicas (felice:broker-drain).")
public final class BrokerRemoveCommand implements Action {
    @Argument(index = 0, name = "broker", required = true, description = "The id of the broker")
    int broker;

    @Reference
    AuditLog audit;

    @Reference
    Admin admin;

    @Reference
    ClusterMetadata metadata;

    @Override
    public Object execute() throws Exception {
        ClusterChange.await(metadata, admin.removeBroker(broker));
        audit.changed("shell", "broker-remove " + broker);
        System.out.println("Broker " + broker + " is removed");
        return null;
    }
}
