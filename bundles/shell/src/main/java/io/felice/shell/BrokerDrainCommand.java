package io.felice.shell;

import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.security.AuditLog;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:broker-drain}: moves all replicas of a broker to others. */
@Service
@Command(
        scope = "felice",
        name = "broker-drain",
        description = "Moves all replicas of a broker to other brokers. It gets no new ones until the draining ends.")
public final class BrokerDrainCommand implements Action {
    @Argument(index = 0, name = "broker", required = true, description = "The id of the broker")
    int broker;

    @Option(name = "--end", description = "Lets the broker get replicas again.")
    boolean end;

    @Reference
    AuditLog audit;

    @Reference
    Admin admin;

    @Reference
    ClusterMetadata metadata;

    @Override
    public Object execute() throws Exception {
        int stay = ClusterChange.await(metadata, admin.drain(broker, !end)).get(broker);
        audit.changed("shell", "broker-drain " + broker + (end ? " --end" : ""));
        System.out.println(said(stay));
        return null;
    }

    private String said(int stay) {
        if (end) {
            return "Broker " + broker + " gets replicas again";
        }
        String rest =
                stay == 0 ? "" : "; replicas of " + stay + " partitions stay, because no other broker can keep them";
        return "The replicas of broker " + broker + " are being moved" + rest
                + ". kafka-reassign-partitions --list and felice:status controller.partitions show what is left";
    }
}
