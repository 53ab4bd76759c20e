package io.felice.handlers;

import static io.felice.api.security.Operation.ALTER_CONFIGS;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.ConfigChange;
import io.felice.api.cluster.Admin.ConfigChange.Operation;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.Outcome;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.Configs;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.protocol.RequestContext;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;

/** The changes of one AlterConfigs or IncrementalAlterConfigs request. Each resource is checked, changed and answered alone. */
final class ConfigChanges {
    private final Admin admin;
    private final ClusterMetadata metadata;
    private final Configs configs;
    private final Allowed allowed;
    private final Map<ConfigResource, List<ConfigChange>> changes = new HashMap<>();
    private final Map<ConfigResource, Consumer<Outcome<Void>>> answers = new HashMap<>();

    ConfigChanges(Admin admin, ClusterMetadata metadata, Configs configs, Allowed allowed) {
        this.admin = admin;
        this.metadata = metadata;
        this.configs = configs;
        this.allowed = allowed;
    }

    /** The action for which a client needs a right; empty if there are no such resources. */
    static Optional<Action> action(byte type, String name) {
        return ConfigResources.action(ALTER_CONFIGS, type, name);
    }

    /** @throws io.felice.api.FeliceException TOPIC_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED */
    static void check(byte type, String name, Allowed allowed) {
        ConfigResources.require(allowed, ALTER_CONFIGS, type, name);
    }

    /** Adds the changes of a resource, which {@code of} reads from the request. Wrong changes are answered at once. */
    void add(
            byte type,
            String name,
            boolean twice,
            Function<ConfigResource, List<ConfigChange>> of,
            Consumer<Outcome<Void>> answer,
            RequestContext context) {
        try {
            if (twice) {
                throw ErrorCode.INVALID_REQUEST.because("Each resource must appear at most once.");
            }
            check(type, name, allowed);
            ConfigResource resource = ConfigResources.of(type, name, metadata);
            List<ConfigChange> wanted = of.apply(resource);
            Outcome<Void> refused = refusal(resource, wanted, context);
            if (refused.isFailed()) {
                answer.accept(refused);
            } else {
                changes.put(resource, wanted);
                answers.put(resource, answer);
            }
        } catch (RuntimeException refused) {
            answer.accept(Outcome.failed(Failures.codeOf(refused, context), Failures.messageOf(refused)));
        }
    }

    private Outcome<Void> refusal(ConfigResource resource, List<ConfigChange> wanted, RequestContext context) {
        try {
            check(resource, wanted);
            return Outcome.of(null);
        } catch (RuntimeException refused) {
            return toClient(resource, Outcome.failed(Failures.codeOf(refused, context), Failures.messageOf(refused)));
        }
    }

    /** Apache Kafka calls an illegal value of a topic INVALID_CONFIG, and one of a broker INVALID_REQUEST. */
    private static Outcome<Void> toClient(ConfigResource resource, Outcome<Void> outcome) {
        boolean ofBroker = resource.type() == ConfigResource.Type.BROKER;
        return ofBroker && outcome.error() == ErrorCode.INVALID_CONFIG
                ? Outcome.failed(ErrorCode.INVALID_REQUEST, outcome.message())
                : outcome;
    }

    private void check(ConfigResource resource, List<ConfigChange> wanted) {
        Set<String> keys = new HashSet<>();
        for (ConfigChange change : wanted) {
            if (!keys.add(change.key())) {
                throw ErrorCode.INVALID_REQUEST.because("Error due to duplicate config keys");
            }
            if (change.value() == null && change.operation() != Operation.DELETE) {
                throw ErrorCode.INVALID_REQUEST.because("Null value not supported for : " + change.key());
            }
            if (change.operation() == Operation.SET) {
                configs.check(resource, change.key(), change.value());
            }
        }
        configs.check(resource, result(resource, wanted));
    }

    /**
     * The values that the resource would have after the change, without what is appended to lists and subtracted from them:
     * the controller does that and checks the lists.
     */
    private Map<String, String> result(ConfigResource resource, List<ConfigChange> wanted) {
        Map<String, String> values = new HashMap<>(metadata.view().configs(resource));
        for (ConfigChange change : wanted) {
            switch (change.operation()) {
                case SET -> values.put(change.key(), change.value());
                case DELETE -> values.remove(change.key());
                case APPEND, SUBTRACT -> {}
            }
        }
        return values;
    }

    /** Makes the changes. The stage completes when every resource has its answer. */
    CompletionStage<Void> make(boolean validateOnly, RequestContext context) {
        if (changes.isEmpty()) {
            return CompletableFuture.completedFuture(null);
        }
        CompletionStage<Decided<ConfigResource, Void>> decided = admin.alterConfigs(changes, validateOnly);
        return (validateOnly ? decided : metadata.replayed(decided)).handle((done, failure) -> {
            answers.forEach((resource, answer) -> answer.accept(
                    failure == null
                            ? toClient(resource, done.outcomes().get(resource))
                            : Outcome.failed(Failures.ofController(failure, context), Failures.messageOf(failure))));
            return null;
        });
    }
}
