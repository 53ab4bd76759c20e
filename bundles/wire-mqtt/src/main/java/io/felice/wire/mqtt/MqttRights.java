package io.felice.wire.mqtt;

import io.felice.api.security.Action;
import io.felice.api.security.Authorization;
import io.felice.api.security.Operation;
import io.felice.api.security.Requester;
import io.felice.api.security.ResourceType;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;

/** What clients may do: the rights are those of the Kafka topics and groups. Any thread. */
final class MqttRights {
    private static final CompletionStage<Boolean> YES = CompletableFuture.completedFuture(true);

    private final Authorization authorization;

    MqttRights(Authorization authorization) {
        this.authorization = authorization;
    }

    CompletionStage<Boolean> mayWrite(Requester requester, String kafkaTopic) {
        return may(requester, new Action(Operation.WRITE, ResourceType.TOPIC, kafkaTopic));
    }

    CompletionStage<Boolean> mayRead(Requester requester, String kafkaTopic) {
        return may(requester, new Action(Operation.READ, ResourceType.TOPIC, kafkaTopic));
    }

    CompletionStage<Boolean> mayUseGroup(Requester requester, String group) {
        return may(requester, new Action(Operation.READ, ResourceType.GROUP, group));
    }

    CompletionStage<Boolean> mayCreate(Requester requester, String kafkaTopic) {
        return may(
                requester,
                new Action(Operation.CREATE, ResourceType.TOPIC, kafkaTopic),
                Action.onCluster(Operation.CREATE));
    }

    /** True if one of the alternatives is allowed. */
    private CompletionStage<Boolean> may(Requester requester, Action... alternatives) {
        return authorization.isEnforced()
                ? authorization
                        .ask(requester, List.of(alternatives))
                        .thenApply(allowed -> allowed.permits(alternatives))
                : YES;
    }

    /** Those of the topics that the client may read. */
    CompletionStage<Set<String>> readable(Requester requester, Collection<String> kafkaTopics) {
        Set<String> all = Set.copyOf(kafkaTopics);
        if (!authorization.isEnforced()) {
            return CompletableFuture.completedFuture(all);
        }
        List<Action> actions = all.stream()
                .map(topic -> new Action(Operation.READ, ResourceType.TOPIC, topic))
                .toList();
        return authorization.ask(requester, actions).thenApply(allowed -> all.stream()
                .filter(topic -> allowed.permits(Operation.READ, ResourceType.TOPIC, topic))
                .collect(Collectors.toSet()));
    }
}
