package io.felice.shell;

import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.security.Acl;
import io.felice.api.security.AclFilter;
import io.felice.shell.text.AclText;
import java.io.IOException;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code felice:acl-list}: shows who may do what. */
@Service
@Command(scope = "felice", name = "acl-list", description = "Shows who may do what.")
public final class AclListCommand implements Action {
    @Option(name = "--principal", description = "Only the ACLs of this principal, for example User:alice")
    String principal;

    @Option(
            name = "--resource",
            description = "Only the ACLs with this resource, for example topic:orders or topic:ord*")
    String resource;

    @Option(name = "--json", description = "Prints JSON.")
    boolean json;

    @Reference
    ClusterMetadata metadata;

    @Override
    public Object execute() throws IOException {
        AclFilter filter = AclText.filter(principal, null, resource);
        Set<Acl> found =
                metadata.view().security().acls().stream().filter(filter::finds).collect(Collectors.toSet());
        KarafTable.print(AclText.listing(found), System.out, json, "(no ACLs)");
        return null;
    }
}
