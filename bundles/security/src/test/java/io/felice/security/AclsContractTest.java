package io.felice.security;

import io.felice.api.security.Acl;
import io.felice.api.security.Authorizer;
import io.felice.testkit.AuthorizerContract;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** What the ACLs decide is what an authorizer must decide. */
class AclsContractTest extends AuthorizerContract {
    @Override
    protected Authorizer authorizer(List<Acl> rights) {
        Acls acls = new Acls(rights);
        return (requester, actions) -> CompletableFuture.completedFuture(actions.stream()
                .map(action -> acls.decide(requester, action.operation(), action.type(), action.name()))
                .toList());
    }
}
