package ${package};

import io.felice.api.security.Action;
import io.felice.api.security.Authorizer;
import io.felice.api.security.Decision;
import io.felice.api.security.Operation;
import io.felice.api.security.Requester;
import io.felice.api.security.ResourceType;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Allows what the settings say and nothing else. */
@Component(property = Authorizer.NAME + "=${artifactId}", configurationPid = "${package}")
@Designate(ocd = SettingsRights.Config.class)
public final class SettingsRights implements Authorizer {
    @ObjectClassDefinition(name = "${artifactId}", description = "Who may do what.")
    public @interface Config {
        @AttributeDefinition(description = "Rights, separated by commas: User:alice READ TOPIC orders, and so on.")
        String[] rights() default {};
    }

    private final Set<String> rights;

    @Activate
    public SettingsRights(Config config) {
        rights = Set.of(config.rights());
    }

    @Override
    public CompletionStage<List<Decision>> authorize(Requester requester, List<Action> actions) {
        return CompletableFuture.completedFuture(
                actions.stream().map(action -> decide(requester, action)).toList());
    }

    @Override
    public CompletionStage<Decision> authorizeAny(Requester requester, Operation operation, ResourceType type) {
        String begin = requester.principal() + " " + operation + " " + type + " ";
        boolean has = rights.stream().anyMatch(right -> right.startsWith(begin));
        return CompletableFuture.completedFuture(has ? Decision.ALLOW : Decision.NO_OPINION);
    }

    private Decision decide(Requester requester, Action action) {
        String right = requester.principal() + " " + action.operation() + " " + action.type() + " " + action.name();
        return rights.contains(right) ? Decision.ALLOW : Decision.NO_OPINION;
    }
}
