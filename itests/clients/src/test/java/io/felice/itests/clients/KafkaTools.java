package io.felice.itests.clients;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Kafka's own command line tools, unchanged, as {@link ToolPrograms} runs them. */
enum KafkaTools {
    TOPICS("org.apache.kafka.tools.TopicCommand"),
    ACLS("org.apache.kafka.tools.AclCommand"),
    CONFIGS("org.apache.kafka.tools.ConfigCommand"),
    CONSOLE_PRODUCER("org.apache.kafka.tools.ConsoleProducer"),
    CONSOLE_CONSUMER("org.apache.kafka.tools.consumer.ConsoleConsumer"),
    CONSUMER_GROUPS("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"),
    GET_OFFSETS("org.apache.kafka.tools.GetOffsetShell"),
    DELETE_RECORDS("org.apache.kafka.tools.DeleteRecordsCommand"),
    LOG_DIRS("org.apache.kafka.tools.LogDirsCommand"),
    BROKER_API_VERSIONS("org.apache.kafka.tools.BrokerApiVersionsCommand"),
    PRODUCER_PERF_TEST("org.apache.kafka.tools.ProducerPerformance"),
    REASSIGN_PARTITIONS("org.apache.kafka.tools.reassign.ReassignPartitionsCommand"),
    FEATURES("org.apache.kafka.tools.FeatureCommand"),
    CONSUMER_PERF_TEST("org.apache.kafka.tools.ConsumerPerformance"),
    DUMP_LOG("org.apache.kafka.tools.DumpLogSegments");

    private final String mainClass;

    KafkaTools(String mainClass) {
        this.mainClass = mainClass;
    }

    /** Runs the tool and returns its output. If the tool fails, the test fails. */
    String run(String... arguments) {
        return ToolPrograms.run(mainClass, null, arguments);
    }

    void feed(Path input, String... arguments) {
        try {
            ToolPrograms.run(mainClass, Files.readAllBytes(input), arguments);
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }
}
