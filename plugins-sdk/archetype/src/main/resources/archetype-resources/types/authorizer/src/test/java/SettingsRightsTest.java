package ${package};

import io.felice.api.security.Acl;
import io.felice.api.security.Authorizer;
import io.felice.testkit.AuthorizerContract;
import io.felice.testkit.TestSettings;
import java.util.List;
import java.util.Map;

class SettingsRightsTest extends AuthorizerContract {
    @Override
    protected Authorizer authorizer(List<Acl> rights) {
        String[] lines = rights.stream()
                .map(right -> right.principal() + " " + right.operation() + " " + right.type() + " " + right.name())
                .toArray(String[]::new);
        return new SettingsRights(TestSettings.of(SettingsRights.Config.class, Map.of("rights", lines)));
    }

    @Override
    protected boolean knowsDenials() {
        return false;
    }
}
