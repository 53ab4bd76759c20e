package io.felice.shell;

import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.security.Acl;
import io.felice.api.security.AuditLog;
import io.felice.shell.text.AclText;
import java.util.List;
import java.util.Set;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:acl-add}: gives a principal a right, or forbids it something. */
@Service
@Command(
        scope = "felice",
        name = "acl-add",
        description = "Gives a principal a right, for example: felice:acl-add User:alice read,describe topic:orders")
public final class AclAddCommand implements Action {
    @Argument(index = 0, name = "principal", required = true, description = "User:NAME, or User:* for everybody")
    String principal;

    @Argument(
            index = 1,
            name = "operations",
            required = true,
            description = "Separated by commas: read, write, create, delete, alter, describe, describe-configs,"
                    + " alter-configs, cluster-action, idempotent-write, or all")
    String operations;

    @Argument(
            index = 2,
            name = "resource",
            required = true,
            description = "topic:NAME, topic:PREFIX*, topic:* for all topics; the same with group and"
                    + " transactional-id; or cluster")
    String resource;

    @Option(name = "--host", description = "Only from this address.")
    String host;

    @Option(name = "--deny", description = "Forbids it. A denial wins over every right.")
    boolean deny;

    @Reference
    AuditLog audit;

    @Reference
    Admin admin;

    @Reference
    ClusterMetadata metadata;

    @Override
    public Object execute() throws Exception {
        List<Acl> acls = AclText.acls(principal, operations, resource, host, !deny);
        ClusterChange.await(metadata, admin.createAcls(acls));
        acls.forEach(acl -> audit.changed("shell", "acl-add " + acl));
        KarafTable.print(AclText.listing(Set.copyOf(acls)), System.out, false, "");
        return null;
    }
}
