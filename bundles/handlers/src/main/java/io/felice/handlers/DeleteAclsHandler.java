package io.felice.handlers;

import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.Outcome;
import io.felice.api.security.Acl;
import io.felice.api.security.AclFilter;
import io.felice.api.security.Operation;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.DeleteAclsRequestData;
import org.apache.kafka.common.message.DeleteAclsRequestData.DeleteAclsFilter;
import org.apache.kafka.common.message.DeleteAclsResponseData;
import org.apache.kafka.common.message.DeleteAclsResponseData.DeleteAclsFilterResult;
import org.apache.kafka.common.message.DeleteAclsResponseData.DeleteAclsMatchingAcl;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Removes the ACLs that filters find, and names them. */
@Component
@Serves(key = Apis.DELETE_ACLS)
public final class DeleteAclsHandler implements RequestHandler<DeleteAclsRequestData, DeleteAclsResponseData> {
    private final Admin admin;
    private final ClusterMetadata metadata;
    private final Rights rights;

    @Activate
    public DeleteAclsHandler(@Reference Admin admin, @Reference ClusterMetadata metadata, @Reference Rights rights) {
        this.admin = admin;
        this.metadata = metadata;
        this.rights = rights;
    }

    @Override
    public CompletionStage<DeleteAclsResponseData> handle(DeleteAclsRequestData request, RequestContext context) {
        return rights.requireOnCluster(context, Operation.ALTER, now -> delete(request, now));
    }

    private CompletionStage<DeleteAclsResponseData> delete(DeleteAclsRequestData request, RequestContext context) {
        if (!rights.areEnforced()) {
            return CompletableFuture.failedFuture(AclBindings.disabled());
        }
        DeleteAclsResponseData response = new DeleteAclsResponseData();
        Decisions<AclFilter, Set<Acl>> decisions = new Decisions<>();
        for (DeleteAclsFilter filter : request.filters()) {
            DeleteAclsFilterResult result = new DeleteAclsFilterResult();
            response.filterResults().add(result);
            decisions.add(() -> AclBindings.filter(filter), outcome -> fill(result, outcome));
        }
        return decisions
                .make(
                        filters -> metadata.replayed(
                                admin.askedBy(context.requester()).deleteAcls(filters)),
                        context)
                .thenApply(done -> response);
    }

    private static void fill(DeleteAclsFilterResult result, Outcome<Set<Acl>> outcome) {
        result.setErrorCode(outcome.error().code()).setErrorMessage(outcome.message());
        if (!outcome.isFailed()) {
            AclBindings.sorted(outcome.value())
                    .forEach(acl -> result.matchingAcls().add(removed(acl)));
        }
    }

    private static DeleteAclsMatchingAcl removed(Acl acl) {
        return new DeleteAclsMatchingAcl()
                .setErrorMessage(null)
                .setResourceType(acl.type().code())
                .setResourceName(acl.name())
                .setPatternType(acl.pattern().code())
                .setPrincipal(acl.principal())
                .setHost(acl.host())
                .setOperation(acl.operation().code())
                .setPermissionType(AclBindings.permission(acl));
    }
}
