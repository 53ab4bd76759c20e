package io.felice.handlers;

import io.felice.api.cluster.ClusterMetadata;
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
import java.util.stream.Collectors;
import org.apache.kafka.common.message.DescribeAclsRequestData;
import org.apache.kafka.common.message.DescribeAclsResponseData;
import org.apache.kafka.common.message.DescribeAclsResponseData.AclDescription;
import org.apache.kafka.common.message.DescribeAclsResponseData.DescribeAclsResource;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Lists the ACLs that a filter finds. */
@Component
@Serves(key = Apis.DESCRIBE_ACLS)
public final class DescribeAclsHandler implements RequestHandler<DescribeAclsRequestData, DescribeAclsResponseData> {
    private final ClusterMetadata metadata;
    private final Rights rights;

    @Activate
    public DescribeAclsHandler(@Reference ClusterMetadata metadata, @Reference Rights rights) {
        this.metadata = metadata;
        this.rights = rights;
    }

    @Override
    public CompletionStage<DescribeAclsResponseData> handle(DescribeAclsRequestData request, RequestContext context) {
        return rights.requireOnCluster(context, Operation.DESCRIBE, now -> describe(request));
    }

    private CompletionStage<DescribeAclsResponseData> describe(DescribeAclsRequestData request) {
        if (!rights.areEnforced()) {
            return CompletableFuture.failedFuture(AclBindings.disabled());
        }
        AclFilter filter = AclBindings.filter(request);
        Set<Acl> found =
                metadata.view().security().acls().stream().filter(filter::finds).collect(Collectors.toSet());
        DescribeAclsResponseData response = new DescribeAclsResponseData();
        DescribeAclsResource last = null;
        for (Acl acl : AclBindings.sorted(found)) {
            if (last == null || !isAbout(last, acl)) {
                last = new DescribeAclsResource()
                        .setResourceType(acl.type().code())
                        .setResourceName(acl.name())
                        .setPatternType(acl.pattern().code());
                response.resources().add(last);
            }
            last.acls().add(description(acl));
        }
        return CompletableFuture.completedFuture(response.setErrorMessage(null));
    }

    private static boolean isAbout(DescribeAclsResource resource, Acl acl) {
        return resource.resourceType() == acl.type().code()
                && resource.patternType() == acl.pattern().code()
                && resource.resourceName().equals(acl.name());
    }

    private static AclDescription description(Acl acl) {
        return new AclDescription()
                .setPrincipal(acl.principal())
                .setHost(acl.host())
                .setOperation(acl.operation().code())
                .setPermissionType(AclBindings.permission(acl));
    }
}
