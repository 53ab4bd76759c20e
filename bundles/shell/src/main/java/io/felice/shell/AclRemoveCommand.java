package io.felice.shell;

import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.security.Acl;
import io.felice.api.security.AclFilter;
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

/** {@code felice:acl-remove}: takes rights and denials of a principal away. */
@Service
@Command(
        scope = "felice",
        name = "acl-remove",
        description = "Takes rights and denials of a principal away, and shows them.")
public final class AclRemoveCommand implements Action {
    @Argument(index = 0, name = "principal", required = true, description = "For example User:alice")
    String principal;

    @Argument(index = 1, name = "operation", description = "Only those about this operation; * for every operation.")
    String operation;

    @Argument(index = 2, name = "resource", description = "Only those with this resource, for example topic:orders")
    String resource;

    @Option(name = "--json", description = "Prints JSON.")
    boolean json;

    @Reference
    AuditLog audit;

    @Reference
    Admin admin;

    @Reference
    ClusterMetadata metadata;

    @Override
    public Object execute() throws Exception {
        boolean isAny = operation == null || operation.equals("*");
        AclFilter filter = AclText.filter(principal, isAny ? null : operation, resource);
        Set<Acl> removed =
                ClusterChange.await(metadata, admin.deleteAcls(List.of(filter))).get(filter);
        removed.forEach(acl -> audit.changed("shell", "acl-remove " + acl));
        KarafTable.print(AclText.listing(removed), System.out, json, "(nothing was removed)");
        return null;
    }
}
