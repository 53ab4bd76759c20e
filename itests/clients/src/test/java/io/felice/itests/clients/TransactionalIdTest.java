package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.felice.itests.rig.Java;
import io.felice.itests.rig.Programs;
import io.felice.itests.rig.Wire;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.InitProducerIdResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** There are no transactions yet: a transactional producer gets a fatal error at once and does not retry. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class TransactionalIdTest {
    private static final String REASON = "This broker has no transactions yet";
    private static final int FEW = 3;

    @TempDir
    private Path directory;

    private Node node;

    @BeforeEach
    void start() {
        node = Node.inMemory();
    }

    @AfterEach
    void stop() {
        node.close();
    }

    @Test
    void theJavaProducerFailsWithAFatalErrorAndTheReason() {
        try (KafkaProducer<String, String> producer =
                Java.textProducer(node.bootstrap(), Map.of("transactional.id", "mine", "max.block.ms", 60_000))) {
            Throwable refusal = catchThrowable(producer::initTransactions);

            assertThat(refusal)
                    .isInstanceOf(KafkaException.class)
                    .isNotInstanceOf(TimeoutException.class)
                    .isNotInstanceOf(RetriableException.class)
                    .hasStackTraceContaining(REASON)
                    .hasStackTraceContaining("mine");
            assertThatThrownBy(producer::beginTransaction).isInstanceOf(KafkaException.class);
        }
        assertThat(coordinatorRequests()).isBetween(1L, (long) FEW);
    }

    @Test
    void librdkafkaFailsWithAFatalErrorAndTheReason() throws IOException, InterruptedException {
        Path line = Files.writeString(directory.resolve("line"), "never written\n");
        Path said = directory.resolve("said");
        List<String> command = List.of(
                "kcat", "-P", "-b", node.bootstrap(), "-t", "t", "-X", "transactional.id=mine", "-l", line.toString());

        Process kcat = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(said.toFile())
                .start();
        boolean ended = kcat.waitFor(60, TimeUnit.SECONDS);
        kcat.destroyForcibly();

        assertThat(ended).as("kcat gives up: %s", Files.readString(said)).isTrue();
        assertThat(kcat.exitValue()).isNotZero();
        assertThat(Files.readString(said)).contains(REASON);
        assertThat(coordinatorRequests()).isBetween(1L, (long) FEW);
    }

    @Test
    void kafkajsFailsWithAFatalError() {
        String said = Programs.run(NodeJs.script("kafkajs.mjs", "transact", node.bootstrap(), "mine"), Path.of("."));

        assertThat(said).contains("Transactional Id").contains("refused:").contains("retriable=false");
        assertThat(coordinatorRequests()).isBetween(1L, (long) FEW);
    }

    @Test
    void aTransactionalInitProducerIdWithoutFindCoordinatorIsRefused() throws IOException {
        InitProducerIdRequestData request = new InitProducerIdRequestData()
                .setTransactionalId("mine")
                .setTransactionTimeoutMs(60_000)
                .setProducerId(-1)
                .setProducerEpoch((short) -1);

        try (Wire wire = new Wire(node.bootstrap())) {
            InitProducerIdResponse response = (InitProducerIdResponse) wire.ask(ApiKeys.INIT_PRODUCER_ID, 4, request);

            assertThat(response.error()).isEqualTo(Errors.UNSUPPORTED_VERSION);
            assertThat(response.data().producerId()).isEqualTo(-1);
        }
    }

    private long coordinatorRequests() {
        return (Long) node.felice()
                .status("network.requests")
                .cell("FindCoordinator", "requests")
                .orElseThrow();
    }
}
