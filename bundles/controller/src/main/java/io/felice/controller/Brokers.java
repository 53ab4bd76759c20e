package io.felice.controller;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicView;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.ConfigResource;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/** Drains brokers and removes them from the cluster. Stateless. */
final class Brokers {
    private Brokers() {}

    static ControllerResult<Integer, Integer> drain(
            ClusterConfigs configs, RandomGenerator random, int brokerId, boolean begin) {
        ControllerResult.Draft<Integer, Integer> draft = new ControllerResult.Draft<>();
        draft.item(brokerId, records -> {
            checkKnown(configs.view(), brokerId);
            MetadataRecord mark = new MetadataRecord.ConfigSet(
                    ConfigResource.broker(brokerId), BrokerConfig.BROKER_DRAINED, begin ? "true" : null);
            records.add(mark);
            ClusterView marked = configs.view().after(configs.view().version(), List.of(mark));
            return begin ? moveAll(configs.at(marked), random, brokerId, records) : 0;
        });
        return draft.done();
    }

    /** @return how many partitions cannot be moved */
    private static int moveAll(
            ClusterConfigs configs, RandomGenerator random, int brokerId, List<MetadataRecord> records) {
        ReplicaLoad load = new ReplicaLoad();
        load.countAgain(configs.view());
        ReplicaPlacement placement = new ReplicaPlacement(configs, random, load);
        int stay = 0;
        for (TopicView topic : configs.view().topics()) {
            ReplicaPlacement.OfTopic ofTopic = null;
            for (Map.Entry<Integer, PartitionState> partition :
                    topic.partitions().entrySet()) {
                PartitionState state = partition.getValue();
                List<Integer> target = state.replicas().stream()
                        .filter(id -> !state.removing().contains(id))
                        .toList();
                if (target.contains(brokerId)) {
                    ofTopic = ofTopic == null
                            ? placement.of(
                                    configs.engineOf(topic.name()),
                                    topic.partitions().values())
                            : ofTopic;
                    stay += move(configs, topic, partition.getKey(), state, ofTopic, brokerId, target, records) ? 0 : 1;
                }
            }
        }
        return stay;
    }

    private static boolean move(
            ClusterConfigs configs,
            TopicView topic,
            int partition,
            PartitionState state,
            ReplicaPlacement.OfTopic placement,
            int brokerId,
            List<Integer> target,
            List<MetadataRecord> records) {
        try {
            PartitionState next =
                    Reassignments.started(configs, topic.name(), state, placement.instead(brokerId, target));
            records.add(new MetadataRecord.PartitionChanged(topic.topicId(), partition, next));
            return true;
        } catch (FeliceException noOther) {
            return false;
        }
    }

    static ControllerResult<Integer, Void> remove(ClusterView view, int brokerId) {
        ControllerResult.Draft<Integer, Void> draft = new ControllerResult.Draft<>();
        draft.item(brokerId, records -> {
            checkKnown(view, brokerId);
            if (view.broker(brokerId).isPresent()) {
                throw ErrorCode.INVALID_REQUEST.because(
                        "Broker " + brokerId + " runs, and would register again at once: stop it first.");
            }
            long replicas = view.topics().stream()
                    .flatMap(topic -> topic.partitions().values().stream())
                    .filter(state -> state.replicas().contains(brokerId))
                    .count();
            if (replicas > 0) {
                throw ErrorCode.INVALID_REQUEST.because("Broker " + brokerId + " has replicas of " + replicas
                        + " partitions: drain it first (felice:broker-drain, or kafka-reassign-partitions).");
            }
            records.add(new MetadataRecord.BrokerRemoved(brokerId));
            ConfigResource own = ConfigResource.broker(brokerId);
            view.configs(own).keySet().forEach(key -> records.add(new MetadataRecord.ConfigSet(own, key, null)));
            return null;
        });
        return draft.done();
    }

    private static void checkKnown(ClusterView view, int brokerId) {
        if (view.lastRegistration(brokerId).isEmpty()) {
            throw ErrorCode.BROKER_ID_NOT_REGISTERED.because("Broker ID " + brokerId + " is not currently registered");
        }
    }
}
