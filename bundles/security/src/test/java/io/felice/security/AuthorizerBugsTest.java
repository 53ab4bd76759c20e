package io.felice.security;

import io.felice.api.security.Acl;
import io.felice.api.security.Authorizer;
import io.felice.testkit.AuthorizerBugsContract;
import io.felice.testkit.AuthorizerContract;
import java.util.List;
import java.util.function.UnaryOperator;

class AuthorizerBugsTest extends AuthorizerBugsContract {
    @Override
    protected AuthorizerContract contract(UnaryOperator<Authorizer> mistake) {
        return new AclsContractTest() {
            @Override
            protected Authorizer authorizer(List<Acl> rights) {
                return mistake.apply(super.authorizer(rights));
            }
        };
    }
}
