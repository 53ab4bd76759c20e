package io.felice.itests.rig;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Kafka's own command line tools, unchanged, as {@link ToolPrograms} runs them. */
public enum KafkaTools {
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
    TRANSACTIONS("org.apache.kafka.tools.TransactionsCommand"),
    FEATURES("org.apache.kafka.tools.FeatureCommand"),
    CONSUMER_PERF_TEST("org.apache.kafka.tools.ConsumerPerformance"),
    DUMP_LOG("org.apache.kafka.tools.DumpLogSegments");

    /** The system property with the URLs from which Kafka's Java clients may take tokens. The tools see it too. */
    public static final String ALLOWED_TOKENS = "org.apache.kafka.sasl.oauthbearer.allowed.urls";

    private final String mainClass;

    KafkaTools(String mainClass) {
        this.mainClass = mainClass;
    }

    /** Runs the tool and returns its output. If the tool fails, the test fails. */
    public String run(String... arguments) {
        return isClient() ? Programs.run(command(arguments), Path.of(".")) : ToolPrograms.run(mainClass, arguments);
    }

    public void feed(Path input, String... arguments) {
        Programs.feed(input, command(arguments));
    }

    /** Producers and consumers run in a JVM of their own, because their logins leave threads behind. */
    private boolean isClient() {
        return switch (this) {
            case CONSOLE_PRODUCER, CONSOLE_CONSUMER, PRODUCER_PERF_TEST, CONSUMER_PERF_TEST -> true;
            default -> false;
        };
    }

    private List<String> command(String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                "-D" + ALLOWED_TOKENS + "=" + System.getProperty(ALLOWED_TOKENS, ""),
                "-cp",
                ToolPrograms.directory().toAbsolutePath() + "/*",
                mainClass));
        command.addAll(List.of(arguments));
        return command;
    }
}
