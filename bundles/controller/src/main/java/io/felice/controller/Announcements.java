package io.felice.controller;

import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs the topics that were created and deleted, and the brokers that registered and were lost. */
final class Announcements {
    private static final Logger log = LoggerFactory.getLogger(Announcements.class);

    private Announcements() {}

    static void log(ClusterView before, ClusterView after, List<MetadataRecord> records) {
        for (MetadataRecord record : records) {
            if (record instanceof MetadataRecord.TopicCreated created) {
                log.info(
                        "Topic {} is created with {} partitions and the id {}",
                        created.topic(),
                        after.topic(created.topicId())
                                .map(topic -> topic.partitions().size())
                                .orElse(0),
                        created.topicId());
            } else if (record instanceof MetadataRecord.TopicDeleted deleted) {
                log.info(
                        "Topic {} with the id {} is deleted",
                        before.topic(deleted.topicId())
                                .map(topic -> topic.name())
                                .orElse("unknown"),
                        deleted.topicId());
            } else if (record instanceof MetadataRecord.BrokerRegistered broker) {
                log.info(
                        "Broker {} at {} has joined in epoch {}",
                        broker.broker().brokerId(),
                        addresses(broker),
                        broker.epoch());
            } else if (record instanceof MetadataRecord.BrokerRefused refused) {
                log.warn("{}", refused.reason());
            } else if (record instanceof MetadataRecord.BrokerGone gone) {
                log.info("Broker {} of epoch {} is lost", gone.brokerId(), gone.epoch());
            }
        }
    }

    private static List<String> addresses(MetadataRecord.BrokerRegistered broker) {
        return broker.broker().endpoints().stream()
                .map(endpoint -> endpoint.listener() + "://" + endpoint.host() + ":" + endpoint.port())
                .toList();
    }
}
