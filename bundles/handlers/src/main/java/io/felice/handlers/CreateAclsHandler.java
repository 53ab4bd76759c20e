package io.felice.handlers;

import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.Outcome;
import io.felice.api.security.Acl;
import io.felice.api.security.Operation;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.CreateAclsRequestData;
import org.apache.kafka.common.message.CreateAclsRequestData.AclCreation;
import org.apache.kafka.common.message.CreateAclsResponseData;
import org.apache.kafka.common.message.CreateAclsResponseData.AclCreationResult;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Adds ACLs. An ACL that is there already is no error. */
@Component
@Serves(key = Apis.CREATE_ACLS)
public final class CreateAclsHandler implements RequestHandler<CreateAclsRequestData, CreateAclsResponseData> {
    private final Admin admin;
    private final ClusterMetadata metadata;
    private final Rights rights;

    @Activate
    public CreateAclsHandler(@Reference Admin admin, @Reference ClusterMetadata metadata, @Reference Rights rights) {
        this.admin = admin;
        this.metadata = metadata;
        this.rights = rights;
    }

    @Override
    public CompletionStage<CreateAclsResponseData> handle(CreateAclsRequestData request, RequestContext context) {
        return rights.requireOnCluster(context, Operation.ALTER, now -> create(request, now));
    }

    private CompletionStage<CreateAclsResponseData> create(CreateAclsRequestData request, RequestContext context) {
        if (!rights.areEnforced()) {
            return CompletableFuture.failedFuture(AclBindings.disabled());
        }
        CreateAclsResponseData response = new CreateAclsResponseData();
        Decisions<Acl, Void> decisions = new Decisions<>();
        for (AclCreation creation : request.creations()) {
            AclCreationResult result = new AclCreationResult();
            response.results().add(result);
            decisions.add(() -> AclBindings.acl(creation), outcome -> fill(result, outcome));
        }
        return decisions
                .make(
                        acls -> metadata.replayed(
                                admin.askedBy(context.requester()).createAcls(acls)),
                        context)
                .thenApply(done -> response);
    }

    private static void fill(AclCreationResult result, Outcome<Void> outcome) {
        result.setErrorCode(outcome.error().code()).setErrorMessage(outcome.message());
    }
}
