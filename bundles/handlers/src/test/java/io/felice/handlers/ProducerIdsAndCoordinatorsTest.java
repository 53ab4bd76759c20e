package io.felice.handlers;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.FindCoordinatorResponseData.Coordinator;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** InitProducerId and FindCoordinator: idempotent producers and groups are served; transactions get a fatal error. */
class ProducerIdsAndCoordinatorsTest {
    private static final int LATEST_INIT = 5;
    private static final int LATEST_FIND = 6;

    private final FakeCluster cluster = new FakeCluster();
    private final FakePartitions partitions = new FakePartitions();
    private final FakeGroups groups = new FakeGroups();
    private final Deadlines deadlines = new Deadlines();
    private final InitProducerIdHandler init = new InitProducerIdHandler(partitions, FakeAuthorization.open());
    private final FindCoordinatorHandler find =
            new FindCoordinatorHandler(groups, cluster, deadlines, FakeAuthorization.open());

    @AfterEach
    void stopDeadlines() {
        deadlines.close();
    }

    @Test
    void anIdempotentProducerGetsAFreshId() throws Exception {
        InitProducerIdResponseData response =
                Asking.ask(init, new InitProducerIdRequestData().setTransactionalId(null), LATEST_INIT);

        assertThat(response.errorCode()).isZero();
        assertThat(response.producerId()).isEqualTo(4711);
        assertThat(response.producerEpoch()).isZero();
    }

    @Test
    void aTransactionalIdIsRefusedWithAnErrorNobodyRetries() throws Exception {
        assertThat(error(new InitProducerIdRequestData().setTransactionalId("mine")))
                .isEqualTo(ErrorCode.UNSUPPORTED_VERSION);
        assertThat(error(new InitProducerIdRequestData().setTransactionalId("")))
                .isEqualTo(ErrorCode.INVALID_REQUEST);
    }

    @Test
    void anIdWithoutItsEpochIsAnInvalidRequest() throws Exception {
        assertThat(error(new InitProducerIdRequestData()
                        .setTransactionalId(null)
                        .setProducerId(5)
                        .setProducerEpoch((short) -1)))
                .isEqualTo(ErrorCode.INVALID_REQUEST);
    }

    @Test
    void whileThereAreNoIdsProducersAskAgain() throws Exception {
        partitions.producerId(CompletableFuture.failedFuture(ErrorCode.COORDINATOR_NOT_AVAILABLE.because("test")));

        assertThat(error(new InitProducerIdRequestData().setTransactionalId(null)))
                .isEqualTo(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    }

    @Test
    void aGroupsCoordinatorIsToldWithTheClientsListener() throws Exception {
        FindCoordinatorResponseData old = Asking.ask(find, new FindCoordinatorRequestData().setKey("g"), 3);
        FindCoordinatorResponseData many =
                Asking.ask(find, new FindCoordinatorRequestData().setCoordinatorKeys(List.of("g", "h")), LATEST_FIND);

        assertThat(old.nodeId()).isEqualTo(FakeCluster.BROKER);
        assertThat(old.host()).isEqualTo("inside");
        assertThat(many.coordinators()).extracting(Coordinator::key).containsExactly("g", "h");
        assertThat(many.coordinators()).extracting(Coordinator::port).containsOnly(9092);
    }

    @Test
    void aMissingCoordinatorIsTheGroupsOwnError() throws Exception {
        groups.fail(ErrorCode.COORDINATOR_NOT_AVAILABLE);

        Coordinator answer = Asking.ask(
                        find, new FindCoordinatorRequestData().setCoordinatorKeys(List.of("g")), LATEST_FIND)
                .coordinators()
                .get(0);

        assertThat(ErrorCode.of(answer.errorCode())).isEqualTo(ErrorCode.COORDINATOR_NOT_AVAILABLE);
        assertThat(answer.nodeId()).isEqualTo(-1);
    }

    @Test
    void transactionsHaveNoCoordinatorAndTheAnswerSaysSo() throws Exception {
        FindCoordinatorRequestData request =
                new FindCoordinatorRequestData().setKeyType((byte) 1).setCoordinatorKeys(List.of("mine"));

        Coordinator answer =
                Asking.ask(find, request, LATEST_FIND).coordinators().get(0);

        assertThat(ErrorCode.of(answer.errorCode())).isEqualTo(ErrorCode.UNSUPPORTED_VERSION);
        assertThat(answer.errorMessage()).contains("no transactions yet").contains("mine");
        assertThat(groups.asked).isEmpty();
    }

    @Test
    void librdkafkasRequestForATransactionIsRefusedWithTheCodeThatEndsIt() throws Exception {
        FindCoordinatorRequestData request =
                new FindCoordinatorRequestData().setKeyType((byte) 1).setKey("mine");

        FindCoordinatorResponseData answer = Asking.ask(find, request, 2);

        assertThat(ErrorCode.of(answer.errorCode())).isEqualTo(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
        assertThat(answer.errorMessage()).contains("no transactions yet").contains("mine");
    }

    @Test
    void shareGroupsHaveNoCoordinator() throws Exception {
        FindCoordinatorRequestData request =
                new FindCoordinatorRequestData().setKeyType((byte) 2).setCoordinatorKeys(List.of("share"));

        assertThat(ErrorCode.of(Asking.ask(find, request, LATEST_FIND)
                        .coordinators()
                        .get(0)
                        .errorCode()))
                .isEqualTo(ErrorCode.INVALID_REQUEST);
    }

    private ErrorCode error(InitProducerIdRequestData request) throws Exception {
        InitProducerIdResponseData response = Asking.ask(init, request, LATEST_INIT);
        assertThat(response.producerId()).isEqualTo(-1);
        assertThat(response.producerEpoch()).isEqualTo((short) -1);
        return ErrorCode.of(response.errorCode());
    }
}
